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

// Slots is the number of key slots of a partition.
const Slots = 1024

// PartitionOf chooses the partition of a key's hash.
func PartitionOf(hash uint32, partitions int) int {
	return int(uint64(hash) * uint64(partitions) >> 32)
}
