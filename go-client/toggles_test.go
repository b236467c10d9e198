package spillway_test

import (
	"sync/atomic"
	"testing"

	spillway "github.com/spillway-io/spillway/go-client"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

func TestAClientKeepsWhatTheBrokerToggledAndSaysWhenItChanges(t *testing.T) {
	c := newCluster(t, 1)
	c.lead(0)
	var changes atomic.Int32
	client := c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithOnToggles(func() { changes.Add(1) }))
	if client.Enabled("app.beta") || client.ToggleValue("app.theme", "none") != "none" {
		t.Fatal("a toggle is set before the broker has said anything")
	}
	beta := &pb.Toggle{Name: "app.beta", RolloutBp: 10000, Value: "on", Fallback: "off"}
	theme := &pb.Toggle{Name: "app.theme", RolloutBp: 0, Value: "dark", Fallback: "light"}

	c.tell(0, wire.ToggleUpdate, &pb.ToggleUpdate{Revision: 1, Full: true, Toggles: []*pb.Toggle{beta, theme}})
	until(t, "the listener to hear of it", func() bool { return changes.Load() == 1 })
	if !client.Enabled("app.beta") || client.ToggleValue("app.theme", "none") != "light" || client.TogglesRevision() != 1 {
		t.Fatalf("at revision %d: %v, %q", client.TogglesRevision(), client.Enabled("app.beta"), client.ToggleValue("app.theme", ""))
	}

	c.tell(0, wire.ToggleUpdate, &pb.ToggleUpdate{Revision: 2, Full: true})
	until(t, "the toggle to be off", func() bool { return !client.Enabled("app.beta") })
	until(t, "the listener to hear of that, too", func() bool { return changes.Load() == 2 })
}
