// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes of Dialect/CIM/Transforms: from logical matrices to a placed program.
#ifndef CIM_DIALECT_CIM_TRANSFORMS_PASSES_TD
#define CIM_DIALECT_CIM_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

/// The option by which every pass that asks about the chip finds it.
def CIM_TargetOption
    : Option<"target", "target", "std::string", /*default=*/"\"imec-ania\"",
             "The chip: a name of targets/ or the path of a YAML file">;

def FuseEpiloguePass : Pass<"cim-fuse-epilogue", "::mlir::ModuleOp"> {
  let summary = "fold activation and requantisation into cim.mvm";
  let description = [{
    The digital epilogue behind the ADC computes `S * scale + bias`, clamps and
    rounds (docs/Numerics.md section 4). `nn.relu`, `nn.clamp` and
    `nn.quantize` (one scale, zero point 0) that are the only use of a float
    `cim.mvm` move into it: a clamp narrows `lo` and `hi`; quantisation divides
    `scale`, `bias`, `mean` and `deviation` by the scale of the result (in
    binary64), rounds `lo` and `hi` as it would round a value, and limits them
    to the range of the result.

    These ops are monotone, so that one behind `nn.max_pool` gives the same in
    front of it: where that brings it to a `cim.mvm`, it moves there. They move
    through `nn.transpose` and `nn.reshape` too.

    ```mlir
    cim.matrix @fc weights(dense<[[1, -1], [4, 0]]> : tensor<2x2xi8>) levels 4 groups 1 {}
    func.func @main(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
      %y = cim.mvm @fc(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
          scale(dense<0.05> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>)
          clamp [0xFF800000, 0x7F800000] nearest_even
          : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
      %r = nn.relu(%y) : tensor<1x1x1x2xf32>
      return %r : tensor<1x1x1x2xf32>
    }
    ```
  }];
  let dependentDialects = ["::cim::CIMDialect", "::cim::nn::NNDialect"];
}

def SplitWeightsPass : Pass<"cim-split-weights", "::mlir::ModuleOp"> {
  let summary = "split every weight into planes of cells";
  let description = [{
    Gives every `cim.matrix` its planes and their significance as docs/Numerics.md
    section 2 defines them, as many as `levels` needs: weights that arrive
    ternary take one cell each. `residual` approximates 8-bit weights by as many
    planes as `cells` says (ternary weights still take one).

    `auto` is the first of `equal`, `magnitude` and `radix` that needs no more
    cells than `cells` says, or than `radix` needs: of the splits that the cells
    have room for, the one that suffers least from noise.
    `nn-compensate-weights` chooses `levels` so that this is the one that it
    found best.

    On a target whose cells hold -L..L, `radix` has base 2 L + 1, `magnitude`
    base L + 1, and `equal` and `unary` fill cells to L one after the other;
    `residual` needs ternary cells.

    A matrix that is split already is left alone.

    ```mlir
    cim.matrix @fc weights(dense<[[1, -1], [4, 0]]> : tensor<2x2xi8>) levels 4 groups 1 {}
    ```
  }];
  let options = [
    Option<"split", "split", "::cim::Split", /*default=*/"::cim::Split::Auto",
           "How a weight becomes several cells",
           [{::cim::splitNames()}]>,
    Option<"cells", "cells", "std::string", /*default=*/"\"2\"",
           "Cells per weight of residual and auto: a number, or node=number,..,*=number">,
    Option<"target", "target", "std::string", /*default=*/"\"\"",
           "The chip whose cells hold the digits; ternary cells when empty">
  ];
  let dependentDialects = ["::cim::CIMDialect"];
}

def TileMatricesPass : Pass<"cim-tile-matrices", "::mlir::ModuleOp"> {
  let summary = "cut split matrices into rectangles that fit into an array";
  let description = [{
    Fills every split `cim.matrix` with `cim.block`s: row blocks as
    docs/Numerics.md section 2 prescribes (block-diagonal matrices between
    groups), one block per plane and at most as many columns as an array has,
    ordered by first row, plane and first column. A matrix that has blocks
    already is left alone.

    ```mlir
    cim.matrix @fc weights(dense<[[1, -1], [4, 0]]> : tensor<2x2xi8>) levels 4 groups 1 split radix planes(dense<[[[1, -1], [1, 0]], [[0, 0], [1, 0]]]> : tensor<2x2x2xi8>)
        significance(dense<[[1.0, 1.0], [3.0, 3.0]]> : tensor<2x2xf32>) {}
    ```
  }];
  let options = [CIM_TargetOption];
  let dependentDialects = ["::cim::CIMDialect"];
}

def SetADCGainPass : Pass<"cim-set-adc-gain", "::mlir::ModuleOp"> {
  let summary = "estimate the ADC gain of blocks without calibration data";
  let description = [{
    A block without `gain` gets `min(1, adc_hi / (sigmas * sigma))` codes per
    unit, `sigma` being the deviation of its integer sum if inputs were
    independent with root mean square `q_hi / 4` and weights had random signs:

        sigma = q_hi / 4 * sqrt(mean over columns of (sum over rows of t^2))

    `t` is what one input is multiplied with (the sum of the cells of `unary`),
    `q_hi` is the largest input that the matrix is used with. A gain above 1
    would tell apart nothing more, since sums are integers. `cim-calibrate-layers`
    replaces the estimate by a measurement.

    ```mlir
    cim.matrix @fc weights(dense<[[1, -1], [4, 0]]> : tensor<2x2xi8>) levels 4 groups 1 split radix planes(dense<[[[1, -1], [1, 0]], [[0, 0], [1, 0]]]> : tensor<2x2x2xi8>)
        significance(dense<[[1.0, 1.0], [3.0, 3.0]]> : tensor<2x2xf32>) {
      cim.block plane 0 rows 0 count 2 columns 0 count 2
      cim.block plane 1 rows 0 count 2 columns 0 count 2
    }
    func.func @main(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
      %y = cim.mvm @fc(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
          scale(dense<0.05> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>)
          clamp [0xFF800000, 0x7F800000] nearest_even
          : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
      return %y : tensor<1x1x1x2xf32>
    }
    ```
  }];
  let options = [
    CIM_TargetOption,
    Option<"sigmas", "sigmas", "double", /*default=*/"4.0",
           "Deviations of the sum that the range of the ADC covers">
  ];
  let dependentDialects = ["::cim::CIMDialect"];
}

def PlaceBlocksPass : Pass<"cim-place-blocks", "::mlir::ModuleOp"> {
  let summary = "give every block a place in an array";
  let description = [{
    Packs the blocks of all matrices into arrays by shelves: tallest first, each
    on the first shelf with room, else on a new shelf of the first array with
    room, else in a new array. Blocks of the same rows of a matrix (planes,
    column cuts) lie side by side, where that needs no more arrays, and share an
    activation. Where the arrays would not do, blocks are cut between columns,
    which changes no number. Deterministic.

    More arrays than `arrays` (or, when that is 0, than the target has) is an
    error that says how many are needed.

    ```mlir
    cim.matrix @fc weights(dense<[[1, -1], [4, 0]]> : tensor<2x2xi8>) levels 4 groups 1 split radix planes(dense<[[[1, -1], [1, 0]], [[0, 0], [1, 0]]]> : tensor<2x2x2xi8>)
        significance(dense<[[1.0, 1.0], [3.0, 3.0]]> : tensor<2x2xf32>) {
      cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0
      cim.block plane 1 rows 0 count 2 columns 0 count 2 gain 1.0
    }
    ```
  }];
  let options = [
    CIM_TargetOption,
    Option<"arrays", "arrays", "int64_t", /*default=*/"0",
           "Arrays to use at most, whatever the target has; 0 = as many as it has">
  ];
  let dependentDialects = ["::cim::CIMDialect"];
}

def BuildProgramPass : Pass<"cim-build-program", "::mlir::ModuleOp"> {
  let summary = "turn placed matrices and mvms into arrays, layers and streams";
  let description = [{
    Every array that a block lies in becomes a `cim.array` with the image of its
    cells (as many rows and columns as are used), every `cim.mvm` a `cim.layer`
    (in the order of the program, named like its matrix) and a `cim.stream` on
    integers and floats in destination-passing style. `quant.scast` is the
    border between quantised types and their storage. Matrices disappear, those
    without a use at once.

    `scale` and `bias` are rounded to binary32 here.

    ```mlir
    cim.matrix @fc weights(dense<[[1, -1], [4, 0]]> : tensor<2x2xi8>) levels 4 groups 1 split radix planes(dense<[[[1, -1], [1, 0]], [[0, 0], [1, 0]]]> : tensor<2x2x2xi8>)
        significance(dense<[[1.0, 1.0], [3.0, 3.0]]> : tensor<2x2xf32>) {
      cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0 at @array0[0, 0]
      cim.block plane 1 rows 0 count 2 columns 0 count 2 gain 1.0 at @array0[0, 2]
    }
    func.func @main(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
      %y = cim.mvm @fc(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
          scale(dense<0.05> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>)
          clamp [0xFF800000, 0x7F800000] nearest_even
          : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
      return %y : tensor<1x1x1x2xf32>
    }
    ```
  }];
  let dependentDialects = ["::cim::CIMDialect", "::mlir::quant::QuantDialect",
                           "::mlir::tensor::TensorDialect"];
}

def RecoverMatricesPass : Pass<"cim-recover-matrices", "::mlir::ModuleOp"> {
  let summary = "read matrices back from the cells of a program";
  let description = [{
    The inverse of `cim-build-program`, for tests: `cim.layer` and the cells that
    its blocks cover become a `cim.matrix` with planes, blocks and places, every
    `cim.stream` a `cim.mvm`. Weights are the sums of cells times significance,
    rounded where significance is not an integer; `levels` is the largest that
    occurs. The scales of integers are lost: types say 1.0.

    Building a program from the result gives the same program again.

    ```mlir
    cim.array @array0 image(dense<[[1, 0], [1, 1]]> : tensor<2x2xi8>)
    cim.layer @fc input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
        significance(dense<[[1.0], [3.0]]> : tensor<2x1xf32>) scale(dense<0.01> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>)
        clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
      cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
      cim.block plane 1 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 1]
    }
    ```
  }];
  let dependentDialects = ["::cim::CIMDialect", "::mlir::quant::QuantDialect"];
}

def VerifyPhasePass : Pass<"cim-verify-phase", "::mlir::ModuleOp"> {
  let summary = "check what a phase promises to the next";
  let description = [{
    The contracts of docs/Architecture.md, executed. Changes nothing; the first
    broken promise is an error with a note at the op that it collides with. Each
    phase includes those before it that are still visible.

    - `quant`: one `@main`, `nn.batch` samples in front of arguments and results;
      quantised weights are symmetric, per output channel, and meet quantised
      inputs.
    - `cim`: no crossbar op with quantised operands without `nn.digital`; inputs
      that the converters can make; finite scales and biases; integer results
      clamped to their range; weights within `levels` and within their groups.
    - `split`: cells within the range of the target's; all splits but `residual`
      recombine to the weights exactly.
    - `tiled`: every weight of every plane in exactly one block, blocks no larger
      than an array and in the order of accumulation.
    - `calibrated`: a gain for every block.
    - `placed`: every block inside of its array, no two over each other.
    - `program`: no matrix and no mvm; images hold cell levels, and 0 where no
      block lies; blocks cover what their layer computes; layers in the order of
      their streams.

    ```mlir
    // cim-opt --cim-verify-phase="phase=program"
    module attributes {nn.model = "tiny", nn.batch = 1 : i64} {
      func.func @main(%x: tensor<1x4xf32> {nn.name = "x"}) -> (tensor<1x4xf32> {nn.name = "y"}) {
        %y = nn.relu(%x) : tensor<1x4xf32>
        return %y : tensor<1x4xf32>
      }
    }
    ```
  }];
  let options = [
    CIM_TargetOption,
    Option<"phase", "phase", "::cim::VerifiedPhase",
           /*default=*/"::cim::VerifiedPhase::Program",
           "The phase that has just ended",
           [{::llvm::cl::values(
             clEnumValN(::cim::VerifiedPhase::Quant, "quant",
               "after nn-quantize"),
             clEnumValN(::cim::VerifiedPhase::CIM, "cim",
               "after convert-nn-to-cim"),
             clEnumValN(::cim::VerifiedPhase::Split, "split",
               "after cim-split-weights"),
             clEnumValN(::cim::VerifiedPhase::Tiled, "tiled",
               "after cim-tile-matrices"),
             clEnumValN(::cim::VerifiedPhase::Calibrated, "calibrated",
               "after cim-calibrate-layers or cim-set-adc-gain"),
             clEnumValN(::cim::VerifiedPhase::Placed, "placed",
               "after cim-place-blocks"),
             clEnumValN(::cim::VerifiedPhase::Program, "program",
               "after cim-build-program"))}]>
  ];
}

#endif // CIM_DIALECT_CIM_TRANSFORMS_PASSES_TD
