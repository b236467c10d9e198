package spillway

import (
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// featureToggles: the broker sends TOGGLE_UPDATE.
const featureToggles = 3

// toggleOn is the value of a toggle that is switched on.
const toggleOn = "on"

// toggles is what the broker has said last, for this client.
type toggles struct {
	revision uint64
	values   map[string]string
}

func togglesOf(update *pb.ToggleUpdate, instance []byte) *toggles {
	t := &toggles{revision: update.GetRevision(), values: make(map[string]string, len(update.GetToggles()))}
	for _, one := range update.GetToggles() {
		t.values[one.GetName()] = one.GetFallback()
		if wire.InRollout(one.GetName(), instance, one.GetRolloutBp()) {
			t.values[one.GetName()] = one.GetValue()
		}
	}
	return t
}

// WithOnToggles sets who hears that toggles have changed: Enabled and ToggleValue tell what they are. It must be quick. Default:
// nobody.
func WithOnToggles(listener func()) Option {
	return func(o *options) error { o.onToggles = listener; return nil }
}

// Enabled tells whether a toggle is on for this client; false when nobody set it. What the broker said last holds while the client
// is not connected. Quick: it asks nobody.
func (c *Client) Enabled(name string) bool { return c.ToggleValue(name, "") == toggleOn }

// ToggleValue is what a toggle is for this client; fallback when nobody set it.
func (c *Client) ToggleValue(name, fallback string) string {
	if t := c.toggles.Load(); t != nil {
		if value, ok := t.values[name]; ok {
			return value
		}
	}
	return fallback
}

// TogglesRevision grows with each change of a toggle; 0 while the broker has said nothing of any.
func (c *Client) TogglesRevision() uint64 {
	if t := c.toggles.Load(); t != nil {
		return t.revision
	}
	return 0
}

// onToggles with the client's lock held.
func (c *Client) onToggles(update *pb.ToggleUpdate) {
	if !update.GetFull() {
		return // no broker sends parts
	}
	before := c.TogglesRevision()
	c.toggles.Store(togglesOf(update, c.instance))
	if listener := c.opts.onToggles; listener != nil && update.GetRevision() != before {
		c.later(listener)
	}
}
