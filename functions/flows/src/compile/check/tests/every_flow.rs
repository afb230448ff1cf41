//! What holds for every flow, sound or broken.

use proptest::prelude::*;

use super::super::arbitrary::{any_flow, around, sound_flow};
use super::*;
use crate::compile::{compile, create_flow_input, update_flow_input};

/// What compiles must be what AppFlow's model takes.
fn compiles(checked: &CheckedFlow) -> Result<(), TestCaseError> {
    let request = compile(checked, &around(checked.definition()));
    prop_assert!(create_flow_input(&request).is_ok_and(|input| input.build().is_ok()));
    prop_assert!(update_flow_input(&request).is_ok_and(|input| input.build().is_ok()));
    for task in &request.tasks {
        for value in task.task_properties.values() {
            prop_assert!((1..=2048).contains(&value.chars().count()), "{value:?}");
        }
        for field in &task.source_fields {
            prop_assert!((1..=2048).contains(&field.chars().count()), "{field:?}");
        }
        if let Some(target) = &task.destination_field {
            prop_assert!((1..=256).contains(&target.chars().count()), "{target:?}");
        }
    }
    // Parts that are put together lose themselves in their name when it is not theirs alone.
    let mut made: Vec<_> = request
        .tasks
        .iter()
        .filter_map(|task| task.destination_field.as_ref())
        .collect();
    made.sort();
    prop_assert!(made.windows(2).all(|pair| pair[0] != pair[1]), "{made:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// The rules refuse nothing that keeps them.
    #[test]
    fn f8_sound_flows_of_every_pair_are_taken_and_compile(flow in sound_flow()) {
        match check(&flow, now()) {
            Ok(checked) => compiles(&checked)?,
            Err(faults) => prop_assert!(false, "{faults:?}"),
        }
    }

    /// Nothing panics, and a refusal points into the definition.
    #[test]
    fn f8_any_flow_compiles_or_is_refused_with_pointers_into_it(flow in any_flow()) {
        match check(&flow, now()) {
            Ok(checked) => compiles(&checked)?,
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                let value = serde_json::to_value(&flow).unwrap();
                for fault in faults {
                    let parent = fault.pointer.rsplit_once('/').unwrap().0;
                    prop_assert!(value.pointer(parent).is_some(), "{}", fault.pointer);
                    prop_assert!(!fault.code.is_empty() && fault.detail.ends_with(['.', '?', ',']), "{fault:?}");
                }
            }
        }
    }
}
