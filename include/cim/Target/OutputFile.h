// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Output files that are either complete or not there.
#ifndef CIM_TARGET_OUTPUTFILE_H
#define CIM_TARGET_OUTPUTFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace cim {

/// Writes a file under a temporary name beside `path` and renames it when
/// everything is on disk; on any failure (a full disk, a missing folder)
/// nothing is left and the error names `path`. "-" is standard output.
llvm::Error writeOutputFile(llvm::StringRef path, llvm::StringRef text);

/// The same for what `write` prints; when it fails, nothing is written.
llvm::Error
writeOutputFile(llvm::StringRef path,
                llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);

} // namespace cim

#endif // CIM_TARGET_OUTPUTFILE_H
