// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the layers of a float network make of some windows.
#ifndef CIM_LIB_CALIBRATION_FLOATTARGETS_H
#define CIM_LIB_CALIBRATION_FLOATTARGETS_H

#include "SampleData.h"
#include "WindowMoments.h"
#include "cim/Arch/Arch.h"
#include "cim/Interfaces/CrossbarOpInterface.h"
#include <memory>

namespace cim {

/// Whether a matrix is small enough for the moments of its inputs.
bool hasFeasibleMoments(const WindowGeometry &geometry);

/// Runs a copy of `module` on `data` and takes down the results of `layers`,
/// ops of the module with feasible moments. There are none when these results
/// do not lie sample behind sample.
llvm::FailureOr<std::vector<std::shared_ptr<const LayerTargets>>>
recordTargets(mlir::ModuleOp module, llvm::ArrayRef<CrossbarOpInterface> layers,
              const Arch &arch, const SampleData &data);

} // namespace cim

#endif // CIM_LIB_CALIBRATION_FLOATTARGETS_H
