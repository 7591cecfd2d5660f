// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a copy of a network and watches values of it.
#ifndef CIM_LIB_CALIBRATION_FLOATRUN_H
#define CIM_LIB_CALIBRATION_FLOATRUN_H

#include "ModelRunner.h"
#include "mlir/IR/IRMapping.h"
#include <functional>

namespace cim {

class FloatRun {
public:
  /// Copies `module`, to be run on `data`; both must outlive the run. With
  /// `inOrder` what layers make of a sample is to lie behind what they make of
  /// the sample before.
  FloatRun(mlir::ModuleOp module, const SampleData &data, bool inOrder = false);

  /// Whether that is so: not when a call of the module itself mixes samples.
  bool isInOrder() const { return rebatched || oldBatch == 1; }

  /// How many samples it will run: whole calls where possible.
  int64_t sampleCount() const { return count; }
  /// Samples per call of `module` itself.
  int64_t moduleBatch() const { return oldBatch; }
  /// The first sample of each of `parts` parts.
  int64_t firstSample(int64_t part, int64_t parts) const;

  /// Sees values of whole samples, in order within each part of them.
  using Observer = std::function<void(size_t part, uint32_t value,
                                      llvm::ArrayRef<float> data)>;

  /// Runs `parts` parts of the samples at the same time and shows `values` (of
  /// the module that was copied), by their numbers. To be called once.
  llvm::LogicalResult run(const Arch &arch, llvm::ArrayRef<mlir::Value> values,
                          int64_t parts, const Observer &observer);

private:
  const SampleData &data;
  mlir::IRMapping mapping;
  mlir::OwningOpRef<mlir::ModuleOp> clone;
  int64_t oldBatch, count;
  bool rebatched;
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_FLOATRUN_H
