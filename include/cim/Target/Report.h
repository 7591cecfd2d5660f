// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What was mapped where, what it costs and what stays digital (docs/Report.md).
#ifndef CIM_TARGET_REPORT_H
#define CIM_TARGET_REPORT_H

#include "cim/Arch/Arch.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

namespace cim {

/// The report of a program (what `cim-build-program` makes) as JSON; keys and
/// units are in docs/Report.md. A program without arrays, or one for a host
/// target, gives a report in which everything is digital. Fails with a
/// diagnostic when `program` still has matrices, when a block has no place, or
/// when one lies outside of the arrays of `arch`.
llvm::FailureOr<llvm::json::Value> makeReport(mlir::ModuleOp program,
                                              const Arch &arch);

/// An error unless `path` ends in an extension that `writeReport` knows.
llvm::Error checkReportPath(llvm::StringRef path);

/// Writes the report to a file: JSON to `.json`, a self-contained page with
/// floorplans to `.html`. Problems are diagnostics of `program`, and then
/// nothing is written. `precision` says how cells were chosen (docs/Report.md),
/// if they were.
llvm::LogicalResult
writeReport(mlir::ModuleOp program, const Arch &arch, llvm::StringRef path,
            const std::optional<llvm::json::Object> &precision = std::nullopt);

} // namespace cim

#endif // CIM_TARGET_REPORT_H
