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
    : Option<"samples", "samples", "int64_t", /*default=*/"1024",
             "Samples to use at most, from the beginning of the file">;
class CIM_CalibrationTargetOption
    : Option<"target", "target", "std::string", /*default=*/"\"imec-ania\"",
             "The chip: a name of targets/ or the path of a YAML file">;

class CIM_AdcRangeOption
    : Option<"adcRange", "adc-range", "::cim::GainMethod",
             /*default=*/"::cim::GainMethod::MSE",
             "How the gain of converters follows from the sums",
             [{::cim::gainMethodNames()}]>;
class CIM_AdcPercentileOption
    : Option<"adcPercentile", "adc-percentile", "double", /*default=*/"99.9",
             "Percentage of the sums for `adc-range=percentile`, above 0">;
class CIM_ClassesOption
    : Option<"classes", "classes", "bool", /*default=*/"false",
             "Outputs are logits of classes, channels of layers">;

def EqualizeChannelsPass : Pass<"nn-equalize-channels", "::mlir::ModuleOp"> {
  let summary = "bring channels of activations to like ranges (cross-layer equalisation)";
  let description = [{
    All channels of an activation share one scale when they become integers, and
    all columns of a depthwise layer one gain. This pass divides channels by
    factors and multiplies the weights that read them, so that small channels
    keep more steps; what the float network computes stays the same but for
    rounding. Weights and bias of what makes a channel are divided: a
    convolution, a matrix product, or the constant gain (and shift) of a
    normalisation. Factors go through ReLU and its kin with slopes below 0,
    pools, reductions over other dimensions, sums (all terms get the same
    factors), products with what has no channels to scale, concatenation, and
    movement of data that keeps channels apart. What else uses a channel keeps
    it as it is: inputs and outputs of the network, quantisers, nonlinear
    functions, bounds other than 0, weights with several uses.

    The network runs on the samples. With `a` the root mean square of a channel,
    and `w` that of the weights that read it, a matrix product wishes
    `sqrt(a / w)` and a convolution with a single channel per group `a`, relative
    to the geometric mean of its channels; other convolutions wish nothing. A
    channel gets the geometric mean of the wishes of all layers that read it on
    arrays. Channels that are always 0, or whose weights are, have none.

    ```mlir
    // cim-opt --nn-equalize-channels="data=samples.npy"
    module attributes {nn.model = "tiny", nn.batch = 1 : i64} {
      func.func @main(%x: tensor<1x2xf32> {nn.name = "x"}) -> (tensor<1x2xf32> {nn.name = "y"}) {
        %w = nn.constant dense<[[1.0, 100.0], [1.0, 100.0]]> : tensor<2x2xf32>
        %v = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
        %0 = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
        %1 = nn.relu(%0) : tensor<1x2xf32>
        %y = nn.matmul(%1, %v) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
        return %y : tensor<1x2xf32>
      }
    }
    ```
  }];
  let options = [
    CIM_DataOption<>, CIM_CalibrationTargetOption<>, CIM_SamplesOption<>
  ];
}

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

    Activations that an `nn.concat` joins for a layer get the range of what it
    makes, unless that costs them more than one bit: so they are stored as the
    layer reads them.

    Samples are as the network takes them: type and shape of the input, a first
    axis of any length (at least 2).

    ```mlir
    // cim-opt --nn-calibrate="data=samples.npy"
    module attributes {nn.model = "tiny", nn.batch = 1 : i64} {
      func.func @main(%x: tensor<1x2xf32> {nn.name = "x"}) -> (tensor<1x2xf32> {nn.name = "y"}) {
        %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
        %y = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
        return %y : tensor<1x2xf32>
      }
    }
    ```
  }];
  let options = [
    CIM_DataOption<>, CIM_CalibrationTargetOption<>, CIM_SamplesOption<>,
    Option<"range", "range", "::cim::RangeMethod",
           /*default=*/"::cim::RangeMethod::MSE",
           "How a range follows from the values",
           [{::cim::rangeMethodNames()}]>
  ];
}

def CompensateWeightsPass : Pass<"nn-compensate-weights", "::mlir::ModuleOp"> {
  let summary = "weights become integers whose errors compensate each other";
  let description = [{
    Chooses the integers and scales of the weights of every layer that will run
    on arrays and that `nn-calibrate` has seen, such that the layer's result is
    near that of the float network, while its input is what the layers before it
    deliver. The method and its sources are docs/Accuracy.md:
    - the float network runs on the samples; the results of its layers at some
      windows are the targets;
    - a copy of the network is quantised, mapped and run, layer after layer, on
      a device inside the compiler, with converters. When a layer's input is
      there, its weights are corrected by least squares towards the targets,
      rounded input by input such that the following ones make up for the
      error, with several scales, and refined by coordinate descent, with regard
      to what cells and converters of the target lose. The integers next to the
      weights are kept where they are better. With split `auto` this is done for
      `radix`, `magnitude` and `equal`, and the one that loses least is taken;
    - `nn.deviation` becomes the part of it that the layer's result can follow
      (times their correlation).

    Ops that share weights get the integers that fit what all of them read.

    Left alone are weights that are integers already, matrices with more than
    2^23 moments, and all with split `residual`. A remark tells of
    channels that never vary on the samples.

    Targets belong to windows of samples. Where a call of the module has several
    samples and a layer sees them interleaved (behind a transpose, say), weights
    are left alone with a remark.

    ```mlir
    // cim-opt --nn-compensate-weights="data=samples.npy cells=1"
    module attributes {nn.model = "tiny", nn.batch = 1 : i64} {
      func.func @main(%x: tensor<1x2xf32> {nn.name = "x", nn.range = array<f32: -1.0, 1.0>}) -> (tensor<1x2xf32> {nn.name = "y"}) {
        %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
        %y = nn.matmul(%x, %w) {nn.mean = dense<0.0> : tensor<2xf64>, nn.deviation = dense<1.0> : tensor<2xf64>}
            : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
        return %y : tensor<1x2xf32>
      }
    }
    ```
  }];
  let options = [
    CIM_DataOption<>, CIM_CalibrationTargetOption<>, CIM_SamplesOption<>,
    Option<"cells", "cells", "std::string", /*default=*/"\"2\"",
           "Cells per weight: a number, or node=number,..,*=number">,
    Option<"split", "split", "::cim::Split", /*default=*/"::cim::Split::Auto",
           "How a weight becomes several cells",
           [{::cim::splitNames()}]>,
    CIM_AdcRangeOption<>, CIM_AdcPercentileOption<>, CIM_ClassesOption<>
  ];
}

def CalibrateLayersPass : Pass<"cim-calibrate-layers", "::mlir::ModuleOp"> {
  let summary = "ADC gains, and statistics of every layer put right";
  let description = [{
    Runs the mapped network on the samples, layer after layer, on a device inside
    the compiler. For each layer, with the inputs that the layers before it make
    once they are corrected:
    - the gain of each plane (the same for its row blocks) follows from the sums
      of a sample of windows, as `adc-range` says: so that the largest sum is
      the largest code, or the sum that `adc-percentile` % do not exceed; or with
      the least squared error `(acc - code / gain)^2` of the conversion; or with
      that of the layer's result on chips with the noise of the target. The
      formulas are in docs/Accuracy.md, "ADC gains". Where results are logits
      (a softmax of the channels follows, or they are outputs and `classes` is
      given) least errors count by probability. A matrix with several uses
      has one gain for all: the network then runs twice, and what the first run
      shows of all uses decides;
    - with these converters on, mean and deviation of every output channel,
      before clamping, become those of the float network (`mean`, `deviation`
      of `cim.mvm`):

          y' = (y - mean(y)) * deviation / deviation(y) + mean

      which changes `scale` and `bias` only. A channel that hardly varies keeps
      its scale, and no scale changes by more than a factor of 4. Layers without
      `mean` keep both: their weights arrived as integers.

    Corrections hold for the target's converters. Where these round down, a device
    without converters (`ideal`) is on average half a code too high.

    The samples of a call share memory: when their feature maps would take more
    than about 1 GB, fewer are used. A network whose samples mix along the
    leading dimension runs as it is, and is corrected at the end, without the
    corrections of earlier layers. A remark tells of both.

    ```mlir
    // cim-opt --cim-calibrate-layers="data=samples.npy"
    module attributes {nn.model = "tiny", nn.batch = 1 : i64} {
    cim.matrix @fc weights(dense<[[1, -1], [4, 0]]> : tensor<2x2xi8>) levels 4 groups 1 split radix planes(dense<[[[1, -1], [1, 0]], [[0, 0], [1, 0]]]> : tensor<2x2x2xi8>)
        significance(dense<[[1.0, 1.0], [3.0, 3.0]]> : tensor<2x2xf32>) {
      cim.block plane 0 rows 0 count 2 columns 0 count 2
      cim.block plane 1 rows 0 count 2 columns 0 count 2
    }
    func.func @main(%x: tensor<1x2xf32> {nn.name = "x"}) -> (tensor<1x2xf32> {nn.name = "y"}) {
      %q = nn.quantize(%x) nearest_even : (tensor<1x2xf32>) -> tensor<1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>
      %r = nn.reshape(%q) : (tensor<1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>
      %m = cim.mvm @fc(%r) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
          scale(dense<0.05> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>)
          clamp [0xFF800000, 0x7F800000] nearest_even
          mean(dense<[0.0, 0.1]> : tensor<2xf64>) deviation(dense<[2.1, 0.7]> : tensor<2xf64>)
          : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
      %y = nn.reshape(%m) : (tensor<1x1x1x2xf32>) -> tensor<1x2xf32>
      return %y : tensor<1x2xf32>
    }
    }
    ```
  }];
  let options = [
    CIM_DataOption<>, CIM_CalibrationTargetOption<>, CIM_SamplesOption<>,
    CIM_AdcRangeOption<>, CIM_AdcPercentileOption<>, CIM_ClassesOption<>
  ];
}

#endif // CIM_CALIBRATION_PASSES_TD
