//! The instructions by which programs call back into autojit.

use smallvec::SmallVec;

use super::calls::{HostCall, TARGET, Work};
use super::module::{Outside, Purpose, Value, Writer, type_text};
use autojit_ir::Type;

impl Writer {
    /// Writes a call back into autojit.
    ///
    /// It counts as one with side effects, as it may fail also where nothing reads its results: XLA drops others.
    pub(super) fn host_call(
        &mut self,
        call: HostCall,
        operands: &[&Value],
    ) -> SmallVec<[Value; 2]> {
        let run = self.run_number();
        let steps = (0..call.steps).rev();
        let steps: SmallVec<[Value; 2]> = steps.map(|i| self.outside(Outside::Step(i))).collect();
        let mut all: SmallVec<[&Value; 4]> = SmallVec::from_iter([&run]);
        all.extend(&steps);
        all.extend_from_slice(operands);
        let types: Vec<String> = all.iter().map(|x| type_text(&x.ty)).collect();
        let index = self.calls.len();
        self.calls.push(call.clone());
        let attributes = format!(
            ", custom_call_target=\"{TARGET}\", operand_layout_constraints={{{}}}, \
             custom_call_has_side_effect=true, \
             api_version=API_VERSION_STATUS_RETURNING_UNIFIED, backend_config=\"{index}\"",
            types.join(", ")
        );
        match &call.result {
            Type::Array(ty) => {
                SmallVec::from_iter([self.op("custom-call", ty.clone(), &all, &attributes)])
            }
            Type::Tuple(types) => self.tuple_op("custom-call", types, &all, &attributes),
        }
    }

    /// A call that gives its operand back if that passes a check. Modules for others are without.
    pub(super) fn checked(&mut self, x: &Value, work: Work) -> Value {
        if self.purpose == Purpose::Save {
            return x.clone();
        }
        let call = HostCall {
            work,
            inputs: SmallVec::from_iter([x.ty.clone()]),
            result: x.ty.clone().into(),
            op: self.op,
            location: self.location,
            steps: self.loops,
        };
        self.host_call(call, &[x]).swap_remove(0)
    }
}
