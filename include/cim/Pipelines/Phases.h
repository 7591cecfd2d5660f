// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The phases of a compilation (docs/Architecture.md, "Pipeline"): their names,
// options and passes. cim-opt and cim-compile share them.
#ifndef CIM_PIPELINES_PHASES_H
#define CIM_PIPELINES_PHASES_H

#include "cim/Calibration/GainMethod.h"
#include "cim/Calibration/RangeMethod.h"
#include "cim/Dialect/CIM/IR/Splits.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace cim {

/// Where a compilation can stop and show what it has (--emit).
enum class Phase { NN, Quant, CIM, Program, LLVM, Object, SharedObject };

/// What the phases between import and machine code depend on.
struct PhaseOptions : mlir::PassPipelineOptions<PhaseOptions> {
  Option<std::string> target{
      *this, "target", llvm::cl::init("imec-ania"),
      llvm::cl::desc("Chip to compile for: a name of targets/ or a YAML file; "
                     "'host' compiles everything digitally in float")};
  Option<std::string> calibration{
      *this, "calibration", llvm::cl::init(""),
      llvm::cl::desc("Sample inputs, .npy or .npz, first axis = samples")};
  Option<int64_t> samples{
      *this, "samples", llvm::cl::init(1024),
      llvm::cl::desc("Samples to calibrate with at most, from the beginning of "
                     "the file")};
  Option<RangeMethod> range{
      *this, "range", llvm::cl::init(RangeMethod::MSE),
      llvm::cl::desc("How an activation's range follows from samples"),
      rangeMethodNames()};
  Option<GainMethod> adcRange{
      *this, "adc-range", llvm::cl::init(GainMethod::MSE),
      llvm::cl::desc("How the gain of converters follows from samples"),
      gainMethodNames()};
  Option<double> adcPercentile{
      *this, "adc-percentile", llvm::cl::init(99.9),
      llvm::cl::desc("Percentage of the sums for adc-range=percentile")};
  Option<bool> classes{
      *this, "classes", llvm::cl::init(false),
      llvm::cl::desc("Outputs are logits of classes, channels of layers")};
  Option<std::string> cells{
      *this, "cells", llvm::cl::init("2"),
      llvm::cl::desc("Cells per weight: a number, or node=number,..,*=number")};
  Option<Split> split{*this, "split", llvm::cl::init(Split::Auto),
                      llvm::cl::desc("How a weight becomes several cells"),
                      splitNames()};
  Option<int64_t> arrays{
      *this, "arrays", llvm::cl::init(0),
      llvm::cl::desc("Arrays to use at most; 0 = as many as the target has")};
};

/// Import to `Phase::NN`: constants and batch normalisation folded, quantisers
/// recognised.
void buildNormalizePhase(mlir::OpPassManager &pm);

/// To `Phase::Quant`: calibrated and quantised.
void buildQuantizePhase(mlir::OpPassManager &pm, const PhaseOptions &options);

/// Its steps: factors of channels, ranges and statistics; integers that
/// compensate each other; types.
void buildCalibration(mlir::OpPassManager &pm, const PhaseOptions &options);
void buildCompensation(mlir::OpPassManager &pm, const PhaseOptions &options);
void buildQuantization(mlir::OpPassManager &pm, const PhaseOptions &options);

/// To `Phase::CIM`: matrices split, tiled and calibrated.
void buildMapPhase(mlir::OpPassManager &pm, const PhaseOptions &options);

/// To `Phase::Program`: blocks placed, arrays, layers and streams made.
void buildProgramPhase(mlir::OpPassManager &pm, const PhaseOptions &options);

/// Makes the phases known to cim-opt as pipelines: `cim-normalize-phase`,
/// `cim-quantize-phase`, `cim-map-phase`, `cim-program-phase`.
void registerPhasePipelines();

} // namespace cim

#endif // CIM_PIPELINES_PHASES_H
