//! x
pub(crate) fn command(_: &crate::options::Law) -> Result<(), String> {
    Ok(())
}
