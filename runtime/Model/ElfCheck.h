// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Looks at a file before dlopen does: dlopen maps a truncated shared object
// without complaint and the process dies on the first missing page.
#ifndef CIM_RUNTIME_MODEL_ELFCHECK_H
#define CIM_RUNTIME_MODEL_ELFCHECK_H

#include "cim-c/status.h"

namespace cim::rt {

/// Succeeds when `path` is a complete ELF shared object for this processor,
/// and matches its seal (model.h) if it has one.
/// Text of a failure is set with fail(). `what` says what the file should be:
/// "compiled network", "device driver".
cim_status checkSharedObject(const char *path, const char *what);

} // namespace cim::rt

#endif // CIM_RUNTIME_MODEL_ELFCHECK_H
