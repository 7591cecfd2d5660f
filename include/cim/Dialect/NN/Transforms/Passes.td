// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes of Dialect/NN/Transforms: from imported networks to quantised ones.
#ifndef CIM_DIALECT_NN_TRANSFORMS_PASSES_TD
#define CIM_DIALECT_NN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def FoldConstantsPass : Pass<"nn-fold-constants", "::mlir::ModuleOp"> {
  let summary = "compute what depends on constants only";
  let description = [{
    Element-wise ops, data movement and quantisation of constants become
    constants, in binary32 and as docs/Numerics.md says. Left alone are

    - an `nn.dequantize` that a crossbar op reads as its weights: the integers
      below it are what the arrays store (`nn.transpose`, `nn.reshape`,
      `nn.slice` and `nn.pad` move below it);
    - results larger than all operands together and than `limit` elements, but
      for weights of a crossbar op that are no more than 8 times the constant
      they are made of (those of a transposed convolution are padded);
    - results that are not finite.

    ```mlir
    func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
      %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
      %a = nn.constant dense<0.5> : tensor<f32>
      %s = nn.mul(%w, %a) : (tensor<2x2xf32>, tensor<f32>) -> tensor<2x2xf32>
      %t = nn.transpose(%s) {permutation = array<i64: 1, 0>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
      %y = nn.matmul(%x, %t) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
      return %y : tensor<1x2xf32>
    }
    ```
  }];
  let options = [
    Option<"limit", "limit", "int64_t", /*default=*/"65536",
           "Elements that a result may have which is larger than its operands">
  ];
  let dependentDialects = ["::cim::nn::NNDialect"];
}

def FoldBatchNormPass : Pass<"nn-fold-batch-norm", "::mlir::ModuleOp"> {
  let summary = "fold per-channel scaling into weights and bias";
  let description = [{
    A batch normalisation with constant statistics is `x * s + t` per channel,
    `s = scale / sqrt(variance + epsilon)` and `t = bias - mean * s` (computed
    in binary64). Where it is the only use of an `nn.conv` or `nn.matmul` with
    constant float weights that nothing else reads it moves into them, also
    through the data movement that a transposed convolution ends with; elsewhere
    it becomes `nn.mul` and `nn.add`. So do `nn.mul`, `nn.div`, `nn.add` and
    `nn.sub` by a constant per channel.

    A product that feeds a rounding is left alone: it belongs to an activation
    quantiser that is written out (see `nn-recognise-quantizers`).

    ```mlir
    func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
      %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
      %scale = nn.constant dense<[2.0, 10.0]> : tensor<2xf32>
      %shift = nn.constant dense<[0.5, 1.0]> : tensor<2xf32>
      %y = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
      %z = nn.mul(%y, %scale) : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
      %r = nn.add(%z, %shift) : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
      return %r : tensor<1x2xf32>
    }
    ```
  }];
  let dependentDialects = ["::cim::nn::NNDialect"];
}

def RecogniseQuantizersPass
    : Pass<"nn-recognise-quantizers", "::mlir::ModuleOp"> {
  let summary = "find the integers of networks that arrive quantised";
  let description = [{
    - `nn.clamp`, `nn.mul` (or `nn.div`) by a constant, `nn.floor` (or
      `nn.round`) and a multiplication back, in the usual orders, become
      `nn.quantize` and `nn.dequantize` with the scale, range and rounding that
      the network wrote out.
    - Constant weights that are integers times a scale per output channel become
      quantised constants: exactly those integers, the storage range being the
      largest magnitude that occurs. Weights are `L * scale` with `L` up to 13
      when they are written as floats (ternary: `L` = 1), up to 127 when they
      arrive through `nn.dequantize`; then a convolution keeps them only if its
      activations arrive quantised, too.
    - `nn.dequantize` moves below data movement and maxima, and an `nn.quantize`
      that changes no value disappears, so that crossbar ops read integers.

    ```mlir
    func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
      %steps = nn.constant dense<15.0> : tensor<f32>
      %c = nn.clamp(%x) to [0.0, 1.0] : tensor<1x4xf32>
      %m = nn.mul(%c, %steps) : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
      %f = nn.floor(%m) : tensor<1x4xf32>
      %d = nn.div(%f, %steps) : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
      return %d : tensor<1x4xf32>
    }
    ```
  }];
  let dependentDialects = ["::cim::nn::NNDialect",
                           "::mlir::quant::QuantDialect"];
}

def KeepDigitalPass : Pass<"nn-keep-digital", "::mlir::ModuleOp"> {
  let summary = "keep some crossbar ops off the arrays";
  let description = [{
    Crossbar ops with the node names of `nodes` get the attribute `nn.digital`:
    later passes leave them in float.

    ```mlir
    // cim-opt --nn-keep-digital="nodes=first"
    func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
      %w = nn.constant dense<[[0.9, -2.0], [-1.1, 0.1]]> : tensor<2x2xf32>
      %y = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("first")
      return %y : tensor<1x2xf32>
    }
    ```
  }];
  let options = [
    ListOption<"nodes", "nodes", "std::string",
               "Names of nodes, all of which must be crossbar ops">
  ];
}

def QuantizePass : Pass<"nn-quantize", "::mlir::ModuleOp"> {
  let summary = "turn weights and activations of crossbar layers into integers";
  let description = [{
    Every `nn.conv` and `nn.matmul` that the target's arrays can run gets
    - weights of `!quant.uniform<i8<-L:L>:f32:axis, {..}>`, a scale per output
      channel that minimises the squared error; `L` is what the cells of a
      weight hold: `(3^P - 1) / 2` for `radix` with P ternary cells,
      `2^P - 1` for `magnitude`, `P` for `equal` and `unary`, 127 for
      `residual` (which is split later); for `auto` that of the first of
      `radix`, `magnitude`, `equal` with no more than 127. Weights that
      `nn-compensate-weights` has made integers keep them;
    - an input of 7 bits (whatever the target's converters take): `u8<0:127>`
      when its range begins at 0 or above, else `i8<-63:63>`. The range is
      `nn.range` on the op or argument that makes the value, as `nn-calibrate`
      leaves it. A value is stored once: all who read it read the integers,
      through `nn.dequantize` if they compute in float. Only arguments, which
      are there in float, are read as they are by what computes in float.

    Ops that share weights go on to share them.

    What arrives quantised stays as it is, unless the arrays cannot take it
    (8-bit activations, zero points).

    `nn.quantize` rises above data movement and maxima towards the op that makes
    the value; `nn.dequantize` sinks below.

    ```mlir
    // cim-opt --nn-quantize="cells=1"
    func.func @main(%x: tensor<1x2xf32> {nn.range = array<f32: -1.26, 1.26>}) -> tensor<1x2xf32> {
      %w = nn.constant dense<[[0.9, -2.0], [-1.1, 0.1]]> : tensor<2x2xf32>
      %y = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
      return %y : tensor<1x2xf32>
    }
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"imec-ania\"",
           "The chip: a name of targets/ or the path of a YAML file">,
    Option<"cells", "cells", "std::string", /*default=*/"\"2\"",
           "Cells per weight: a number, or node=number,..,*=number">,
    Option<"split", "split", "::cim::Split", /*default=*/"::cim::Split::Auto",
           "How a weight becomes several cells",
           [{::cim::splitNames()}]>
  ];
  let dependentDialects = ["::cim::nn::NNDialect",
                           "::mlir::quant::QuantDialect"];
}

def SinkTransposesPass : Pass<"nn-sink-transposes", "::mlir::ModuleOp"> {
  let summary = "move transposes towards results until they cancel";
  let description = [{
    An `nn.transpose` moves below element-wise ops, quantisation, `nn.pad`,
    `nn.slice`, `nn.concat`, `nn.softmax` and `nn.reduce`, whose attributes are
    rewritten; a second operand of a binary op or a concatenation is
    transposed back if it is not transposed in the same way (constants in place).
    Inverse pairs cancel. `nn.reshape` moves below unary ops, and so does an
    `nn.slice` that keeps half of its operand (as a transposed convolution ends
    with), for the sake of the layer in front of it. What remains in front of
    an `nn.reshape`, or moves only extents of 1, becomes a reshape.

    It moves below an `nn.broadcast`, and below an `nn.reshape` that splits
    dimensions or joins such as lie side by side in front of it, too. Where one
    joins others, a transpose behind it is done in front, together with the one
    that is there: a transposed convolution between two layers moves its data
    once, resizing by a whole factor never.

    Between two convolutions on arrays, which read and write NHWC, none is left
    unless a pool stands there: pools need NCHW.

    ```mlir
    func.func @main(%x: tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32> {
      %a = nn.transpose(%x) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x4x4x8xf32>) -> tensor<1x8x4x4xf32>
      %b = nn.relu(%a) : tensor<1x8x4x4xf32>
      %c = nn.transpose(%b) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x8x4x4xf32>) -> tensor<1x4x4x8xf32>
      return %c : tensor<1x4x4x8xf32>
    }
    ```
  }];
  let dependentDialects = ["::cim::nn::NNDialect"];
}

def SetBatchPass : Pass<"nn-set-batch", "::mlir::ModuleOp"> {
  let summary = "another number of samples per call";
  let description = [{
    Rewrites the shapes of `@main` (nn ops and `cim.mvm`) and `nn.batch` as if the
    network had been imported with `batch` samples per call: leading dimensions
    are scaled. An op that combines samples along that dimension is an error.

    ```mlir
    // cim-opt --nn-set-batch="batch=8"
    module attributes {nn.batch = 1 : i64} {
      func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
        %y = nn.relu(%x) : tensor<1x4xf32>
        return %y : tensor<1x4xf32>
      }
    }
    ```
  }];
  let options = [
    Option<"batch", "batch", "int64_t", /*default=*/"1",
           "Samples per call">
  ];
}

def DifferentiatePass : Pass<"nn-differentiate", "::mlir::ModuleOp"> {
  let summary = "return gradients in place of results";
  let description = [{
    `@main` returns, in place of its results, the gradients of the sum of all
    elements of its float results with respect to each of its float arguments,
    under their names. Reverse mode: every op between argument and result adds
    what its operands have done to it.

    Rounding counts as the identity within the range of the type
    (straight-through estimator), and a quantised tensor has the gradient of
    what it stands for. Where a maximum is taken by several elements they share
    its gradient, but for `nn.max` and `nn.min`, whose first operand has it.
    What is computed from integers and truth values counts as constant. Weights
    of a convolution, statistics of a batch normalisation and exponents must not
    depend on arguments; `cim.mvm` must have a float result in an infinite
    range. An op on the way that has no gradient (products along dimensions,
    `nn.top_k`, `nn.mod`, `nn.scatter`) is an error.

    ```mlir
    func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
      %c = nn.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
      %r = nn.relu(%x) : tensor<1x4xf32>
      %y = nn.mul(%r, %c) : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
      return %y : tensor<1x4xf32>
    }
    ```
  }];
  let dependentDialects = ["::cim::nn::NNDialect"];
}

#endif // CIM_DIALECT_NN_TRANSFORMS_PASSES_TD
