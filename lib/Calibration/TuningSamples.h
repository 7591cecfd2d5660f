// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What tuning learns from and what it is measured by.
#ifndef CIM_LIB_CALIBRATION_TUNINGSAMPLES_H
#define CIM_LIB_CALIBRATION_TUNINGSAMPLES_H

#include "SampleData.h"
#include "cim/Arch/Arch.h"

namespace cim {

/// Samples, mixtures of them behind, and what the float network makes of all.
struct TuningSamples {
  /// Samples and mixtures of the inputs; `data.count` are samples.
  SampleData data;
  int64_t total = 0;
  /// Values of every output, sample behind sample; none of what is not float.
  std::vector<std::vector<float>> wanted;

  /// Whether a sample or mixture is held back: every fourth.
  static bool isHeld(int64_t number);

  /// Samples to learn from, or those held back; `mixtures` too: of those held
  /// back about as many as samples.
  std::vector<int64_t> list(bool held, bool mixtures) const;

  /// Runs `network` (float, as imported) on the first `limit` of the samples
  /// in `path`. `forCells` on more, if they take little memory, and on mixtures
  /// of them if all inputs are 32-bit floats. Problems are errors at it.
  static llvm::FailureOr<TuningSamples> load(mlir::ModuleOp network,
                                             const Arch &arch,
                                             llvm::StringRef path,
                                             int64_t limit, bool forCells);
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_TUNINGSAMPLES_H
