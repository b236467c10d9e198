//! What publishing allocates belongs to batches, not to records.

mod support;

use std::time::Duration;

use bytes::Bytes;
use spillway::Record;
use support::{topic, Broker, SOON};
use tokio::runtime::Builder;

const RECORDS: u32 = 20_000;
const MOST: f64 = 0.25;

#[test]
fn publishing_allocates_nothing_for_a_record() {
    // One thread for caller and client: allocations are counted by thread.
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let broker = Broker::start();
    let client = runtime.block_on(broker.client());
    runtime.block_on(topic(&client, "t", 0));
    // The linger makes full batches, whatever the machine's pace.
    let opening = client.producer("t").linger(Duration::from_secs(60));
    let producer = runtime.block_on(opening.open()).expect("a producer");
    for (name, record) in [
        ("128 B", Record::new(Bytes::from(vec![7; 128]))),
        ("1 KiB", Record::new(Bytes::from(vec![7; 1_024]))),
        (
            "with a key",
            Record::new(Bytes::from(vec![7; 128])).key("4711"),
        ),
    ] {
        let publish = || {
            runtime.block_on(async {
                for _ in 0..RECORDS {
                    drop(producer.publish(record.clone()).await.expect("space"));
                }
                producer.flush(SOON).await.expect("acks");
            });
        };
        publish(); // what is kept is there
        let allocations = allocation_counter::measure(publish).count_total;
        let each = allocations as f64 / f64::from(RECORDS);
        println!("{name}: {each:.4} allocations for a record");
        assert!(each < MOST, "{name}: {each:.2} allocations for a record");
    }
}
