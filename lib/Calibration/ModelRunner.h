// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compiles a module and runs it in this process.
#ifndef CIM_LIB_CALIBRATION_MODELRUNNER_H
#define CIM_LIB_CALIBRATION_MODELRUNNER_H

#include "SampleData.h"
#include "cim-c/runtime.h"
#include "cim/Arch/Arch.h"
#include "mlir/IR/DialectRegistry.h"
#include <memory>

namespace cim {

/// A run of samples.
struct SampleRange {
  int64_t begin, count;
};

/// `count` samples in whole calls of `batch`, divided into `parts`.
SampleRange getPart(int64_t count, int64_t batch, int64_t parts, int64_t index);

/// Sets the samples per call of `module`. False, and the module of no more use,
/// when its samples are not independent of each other or, with `inOrder`, when
/// the results of layers do not lie sample behind sample.
bool rebatch(mlir::ModuleOp module, int64_t batch, bool inOrder = false);

/// What a pass that uses `runModel` must have loaded before it runs.
void insertModelRunnerDialects(mlir::DialectRegistry &registry);

/// A program in this process.
class ModelRunner {
public:
  /// Compiles `program` (as `emitSharedObject` wants it), which must outlive
  /// the runner. Problems are errors at it.
  static llvm::FailureOr<ModelRunner> compile(mlir::ModuleOp program,
                                              const Arch &arch);

  /// Runs the first `count` samples; results are dropped. Each of `sessions`
  /// gets a run of samples, whole calls of the network, in order; they run at
  /// the same time.
  llvm::LogicalResult run(const SampleData &samples, int64_t count,
                          llvm::ArrayRef<cim_session_options> sessions);

  /// What the network makes of the first `count` samples on device 'exact': for
  /// every output its values, sample behind sample; none where they are not
  /// float.
  llvm::FailureOr<std::vector<std::vector<float>>>
  evaluate(const SampleData &samples, int64_t count);

private:
  friend class CallRunner;

  struct Close {
    void operator()(cim_model *model) const { cim_model_close(model); }
  };

  mlir::ModuleOp program;
  std::unique_ptr<cim_model, Close> model;
};

/// Many short runs of a program on device 'exact', on chips that stay.
class CallRunner {
public:
  /// As many sessions as there are processors, at most `limit`. `model` must
  /// outlive them.
  static llvm::FailureOr<CallRunner> create(const ModelRunner &model,
                                            int64_t limit);

  /// Runs `count` samples; whole calls at the same time where there are
  /// several. Samples of input and output i begin at `inputs[i]`, `outputs[i]`.
  llvm::LogicalResult run(int64_t count, llvm::ArrayRef<const char *> inputs,
                          llvm::ArrayRef<char *> outputs);

private:
  struct Destroy {
    void operator()(cim_session *session) const {
      cim_session_destroy(session);
    }
  };

  mlir::ModuleOp program;
  std::vector<std::unique_ptr<cim_session, Destroy>> sessions;
};

/// How many samples a call should take: all of `count` if `bytes` of feature
/// maps per sample leave that possible, else what fits into memory.
int64_t chooseBatch(mlir::ModuleOp module, int64_t count);

} // namespace cim

#endif // CIM_LIB_CALIBRATION_MODELRUNNER_H
