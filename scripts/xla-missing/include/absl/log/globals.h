// The first header of XLA's that the crate `xla` includes, in the folder that is named until the script has run.
#error "XLA is missing: run scripts/setup-xla.sh first"
