package wire

import "hash/crc32"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// CRC32C is the checksum of batches.
func CRC32C(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

func updateCRC(crc uint32, b []byte) uint32 { return crc32.Update(crc, castagnoli, b) }

// KeyHash is fmix32 (MurmurHash3) of the key's CRC-32C; 0 without a key.
func KeyHash(key []byte) uint32 {
	h := CRC32C(key)
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	h ^= h >> 16
	return h
}

// rolloutAll is the share that is everybody.
const rolloutAll = 10000

// RolloutBucket is where one of those that a toggle concerns is, from 0 to 9,999.
func RolloutBucket(toggle string, id []byte) uint32 {
	return KeyHash(append([]byte(toggle+":"), id...)) % rolloutAll
}

// InRollout tells whether it is among the first so many of ten thousand.
func InRollout(toggle string, id []byte, rolloutBp uint32) bool {
	return rolloutBp >= rolloutAll || RolloutBucket(toggle, id) < rolloutBp
}

// Slots is the number of key slots of a partition.
const Slots = 1024

// PartitionOf chooses the partition of a key's hash.
func PartitionOf(hash uint32, partitions int) int {
	return int(uint64(hash) * uint64(partitions) >> 32)
}
