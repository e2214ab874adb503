//! x
pub(crate) fn command(_: &crate::options::Targets) -> Result<(), String> {
    Ok(())
}
pub(crate) fn cases() -> Vec<crate::run::Planned> {
    Vec::new()
}
