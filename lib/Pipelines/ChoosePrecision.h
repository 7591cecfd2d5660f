// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cells per weight of every layer, as few as an accuracy allows.
#ifndef CIM_LIB_PIPELINES_CHOOSEPRECISION_H
#define CIM_LIB_PIPELINES_CHOOSEPRECISION_H

#include "cim/Arch/Arch.h"
#include "cim/Pipelines/Compile.h"
#include "llvm/Support/JSON.h"

namespace cim {

/// Chooses cells per weight for the layers of `network` (normalised) by the
/// method of docs/Accuracy.md, section "Automatic precision": calibrates and
/// compensates it (layers that are to stay digital are marked), and sets
/// `cells` and `samples` of `options`. `buildQuantization` and the phases
/// behind it make the program whose drop was measured. Returns the table of the
/// report (docs/Report.md, `precision`).
llvm::FailureOr<llvm::json::Object>
choosePrecision(mlir::OwningOpRef<mlir::ModuleOp> &network, const Arch &arch,
                const PrecisionGoal &goal, PhaseOptions &options);

} // namespace cim

#endif // CIM_LIB_PIPELINES_CHOOSEPRECISION_H
