// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sample inputs from NumPy files.
#ifndef CIM_LIB_CALIBRATION_SAMPLEDATA_H
#define CIM_LIB_CALIBRATION_SAMPLEDATA_H

#include "Npy/Npy.h"
#include "mlir/IR/BuiltinOps.h"

namespace cim {

struct SampleData {
  int64_t count = 0;
  /// In the order of the arguments of `@main`; each holds at least `count`
  /// samples.
  std::vector<npy::Array> inputs;
};

/// Reads the samples for `@main` of `module`: a .npy file when it has one
/// argument, else a .npz file with an array per argument, called like its
/// `nn.name`. At most `limit` samples. Anything that does not fit is one error.
llvm::FailureOr<SampleData> loadSamples(mlir::ModuleOp module,
                                        llvm::StringRef path, int64_t limit);

} // namespace cim

#endif // CIM_LIB_CALIBRATION_SAMPLEDATA_H
