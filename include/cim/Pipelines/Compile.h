// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From an ONNX file to an output file: what cim-compile does.
#ifndef CIM_PIPELINES_COMPILE_H
#define CIM_PIPELINES_COMPILE_H

#include "cim/Calibration/LayerTuning.h"
#include "cim/Frontend/ONNX/ImportOnnx.h"
#include "cim/Pipelines/Phases.h"
#include <optional>

namespace cim {

/// How much accuracy cells may cost (docs/Accuracy.md, "Automatic precision").
struct PrecisionGoal {
  double drop = 0;       ///< percent, of what `AccuracyTest::Measure` says
  bool byEnergy = false; ///< of the outputs, even where they are classes
  std::string labels;    ///< empty, or an .npy file with a class per sample
};

/// One compilation. Strings are as given on the command line.
struct CompileOptions {
  std::string model;
  std::string output; ///< "-" is standard output, for text only
  Phase emit = Phase::SharedObject;
  PhaseOptions phases;
  /// Names of nodes that stay digital.
  std::vector<std::string> digital;
  /// When given, `phases.cells` is chosen.
  std::optional<PrecisionGoal> precision;
  /// What moves at the end, for the sake of the outputs.
  Tuning tuning = Tuning::None;
  ImportOptions import;
  std::string report; ///< empty, or a .json or .html file
  /// Only say what would run where, on standard output.
  bool check = false;
};

/// Runs the compilation; problems are diagnostics of `context`. Nothing is
/// written unless everything succeeded.
llvm::LogicalResult compile(mlir::MLIRContext &context,
                            const CompileOptions &options);

/// Registers every dialect and interface that `compile` needs.
void registerCompileDialects(mlir::DialectRegistry &registry);

} // namespace cim

#endif // CIM_PIPELINES_COMPILE_H
