// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes of Calibration: what sample data say about a network.
#ifndef CIM_CALIBRATION_PASSES_TD
#define CIM_CALIBRATION_PASSES_TD

include "mlir/Pass/PassBase.td"

class CIM_DataOption
    : Option<"data", "data", "std::string", /*default=*/"\"\"",
             "Sample inputs: a .npy file, or a .npz file with one array per "
             "network input; the first axis counts samples. Nothing happens "
             "without">;
class CIM_SamplesOption
    : Option<"samples", "samples", "int64_t", /*default=*/"512",
             "Samples to use at most, from the beginning of the file">;
class CIM_CalibrationTargetOption
    : Option<"target", "target", "std::string", /*default=*/"\"imec-ania\"",
             "The chip: a name of targets/ or the path of a YAML file">;

def CalibratePass : Pass<"nn-calibrate", "::mlir::ModuleOp"> {
  let summary = "run the network on sample data and note what it sees";
  let description = [{
    Compiles a copy of the network for the host, runs it on the samples, and
    attaches
    - `nn.range = array<f32: lo, hi>` to every op (or argument) that makes a
      float activation which `nn-quantize` will turn into integers: the clip
      range that `range` chooses;
    - `nn.mean` and `nn.deviation`, one binary64 value per output channel, to
      every layer that will run on arrays with weights that are not integers
      yet: mean and standard deviation of its float result over samples and
      positions, for `cim-calibrate-layers`.

    Samples are as the network takes them: type and shape of the input, a first
    axis of any length (at least 2).
  }];
  let options = [
    CIM_DataOption<>, CIM_CalibrationTargetOption<>, CIM_SamplesOption<>,
    Option<"range", "range", "::cim::RangeMethod",
           /*default=*/"::cim::RangeMethod::MSE",
           "How a range follows from the values",
           [{::llvm::cl::values(
             clEnumValN(::cim::RangeMethod::MinMax, "minmax",
               "every value that occurred"),
             clEnumValN(::cim::RangeMethod::Percentile, "percentile",
               "all but one in 10,000 magnitudes"),
             clEnumValN(::cim::RangeMethod::MSE, "mse",
               "least squared error on the grid of the input converters"))}]>
  ];
}

def CalibrateLayersPass : Pass<"cim-calibrate-layers", "::mlir::ModuleOp"> {
  let summary = "ADC gains, and statistics of every layer put right";
  let description = [{
    Runs the mapped network on the samples, layer after layer, on a device inside
    the compiler. For each layer, with the inputs that the layers before it make
    once they are corrected:
    - the gain of each plane (the same for its row blocks) is the one that
      minimises the squared error `(acc - code / gain)^2` of the conversion over
      a sample of windows;
    - with these converters on, mean and deviation of every output channel,
      before clamping, become those of the float network (`mean`, `deviation`
      of `cim.mvm`):

          y' = (y - mean(y)) * deviation / deviation(y) + mean

      which changes `scale` and `bias` only. A channel that hardly varies keeps
      its scale, and no scale changes by more than a factor of 4. Layers without
      `mean` keep both: their weights arrived as integers.
  }];
  let options = [
    CIM_DataOption<>, CIM_CalibrationTargetOption<>, CIM_SamplesOption<>
  ];
}

#endif // CIM_CALIBRATION_PASSES_TD
