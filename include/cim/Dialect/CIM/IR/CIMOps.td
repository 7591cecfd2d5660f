// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators of the cim dialect.
#ifndef CIM_DIALECT_CIM_IR_CIMOPS_TD
#define CIM_DIALECT_CIM_IR_CIMOPS_TD

include "cim/Dialect/CIM/IR/CIMDialect.td"
include "cim/Dialect/NN/IR/NNDialect.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class CIM_Op<string mnemonic, list<Trait> traits = []>
    : Op<CIM_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Logical level
//===----------------------------------------------------------------------===//

def CIM_MatrixOp : CIM_Op<"matrix", [
    Symbol, IsolatedFromAbove, NoRegionArguments, SingleBlock, NoTerminator]> {
  let summary = "the integer matrix of a crossbar layer and its mapping";
  let description = [{
    `weights` is K x N (docs/Numerics.md section 2 says which row is which
    input), `levels` the largest magnitude that its quantised type allows. With
    `groups` > 1 it is block diagonal.

    Each mapping step adds what it decides:
    - `cim-split-weights`: `split`, `planes` (cells: P x K x N, one cell each;
      the P cells of `unary` share a column) and `significance` (result planes
      x N);
    - `cim-tile-matrices`: one `cim.block` per rectangle of an array;
    - `cim-calibrate-layers` or `cim-set-adc-gain`: the gain of each block;
    - `cim-place-blocks`: array, row and column of each block.

    ```mlir
    cim.matrix @fc weights(dense<[[1, -1], [4, 0]]> : tensor<2x2xi8>) levels 4 groups 1 {
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, ElementsAttr:$weights,
                   I64Attr:$levels, I64Attr:$groups,
                   OptionalAttr<CIM_SplitAttr>:$split,
                   OptionalAttr<ElementsAttr>:$planes,
                   OptionalAttr<ElementsAttr>:$significance);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `weights` `(` $weights `)` `levels` $levels `groups` $groups
    (`split` `` $split^ `planes` `(` $planes `)` `significance` `(` $significance `)`)?
    attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
  let builders = [
    OpBuilder<(ins "::llvm::StringRef":$name, "::mlir::ElementsAttr":$weights,
                   "int64_t":$levels, "int64_t":$groups)>
  ];
  let extraClassDeclaration = [{
    int64_t getRows();    // K
    int64_t getColumns(); // N
    /// Cells per weight; 1 before the split.
    int64_t getCellsPerWeight();
    /// Cells per weight that share a column: P for unary, else 1.
    int64_t getRepeat();
  }];
}

def CIM_BlockOp : CIM_Op<"block", [ParentOneOf<["MatrixOp", "LayerOp"]>]> {
  let summary = "a rectangle of a matrix that lies in one array";
  let description = [{
    Matrix rows `k` to `k + k_count` and columns `n` to `n + n_count` of one
    result plane. `gain` is ADC codes per unit of the integer sum. The upper
    left cell lies at `row`, `column` of `array`. The fields mean what they mean
    in cim_block (include/cim-c/hal.h).

    ```mlir
    cim.matrix @fc weights(dense<[[1, -1], [1, 0]]> : tensor<2x2xi8>) levels 1 groups 1 {
      cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 0.25 at @array0[0, 0]
    }
    ```
  }];
  let arguments = (ins I64Attr:$plane, I64Attr:$k, I64Attr:$k_count,
                   I64Attr:$n, I64Attr:$n_count,
                   OptionalAttr<F32Attr>:$gain,
                   OptionalAttr<FlatSymbolRefAttr>:$array,
                   OptionalAttr<I64Attr>:$row, OptionalAttr<I64Attr>:$column);
  let assemblyFormat = [{
    `plane` $plane `rows` $k `count` $k_count `columns` $n `count` $n_count
    (`gain` $gain^)? (`at` $array^ `[` $row `,` $column `]`)? attr-dict
  }];
  let hasVerifier = 1;
}

def CIM_MvmOp : CIM_Op<"mvm", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "stream the windows of a feature map through a matrix";
  let description = [{
    `input` is NHWC and quantised. Every window (`kernel`, `strides`,
    `dilations`; `pads` is top, left, the rest follows from the result) is
    multiplied with the matrix; then `S * scale + bias` per output channel,
    clamped to `[lo, hi]`. A quantised result is rounded as `rounding` says, and
    `scale`, `bias`, `lo`, `hi` are in units of its integers.

    `scale` and `bias` are binary64 until the program is built. `mean` and
    `deviation` are the statistics of `S * scale + bias` in the float network,
    for `cim-calibrate-layers`.

    ```mlir
    %y = cim.mvm @fc(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
        scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>)
        clamp [0xFF800000, 0x7F800000] nearest_even
        : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$matrix, CIM_QuantMap:$input,
                   DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
                   DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads,
                   ElementsAttr:$scale, ElementsAttr:$bias,
                   F32Attr:$lo, F32Attr:$hi, NN_RoundingAttr:$rounding,
                   OptionalAttr<ElementsAttr>:$mean,
                   OptionalAttr<ElementsAttr>:$deviation);
  let results = (outs CIM_Map:$result);
  let assemblyFormat = [{
    $matrix `(` $input `)` `kernel` $kernel `strides` $strides `dilations` $dilations `pads` $pads
    `scale` `(` $scale `)` `bias` `(` $bias `)` `clamp` `[` $lo `,` $hi `]` `` $rounding
    (`mean` `(` $mean^ `)`)? (`deviation` `(` $deviation^ `)`)?
    attr-dict `:` functional-type($input, $result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Program level
//===----------------------------------------------------------------------===//

def CIM_ArrayOp : CIM_Op<"array", [Symbol]> {
  let summary = "a crossbar array with the image of its cells";
  let description = [{
    `image` is rows x columns signed 8-bit levels, row-major; unused cells are
    0. Arrays are numbered in the order of the module.

    ```mlir
    cim.array @array0 image(dense<0> : tensor<4x4xi8>)
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, ElementsAttr:$image);
  let assemblyFormat = "$sym_name `image` `(` $image `)` attr-dict";
  let hasVerifier = 1;
}

def CIM_LayerOp : CIM_Op<"layer", [
    Symbol, IsolatedFromAbove, NoRegionArguments, SingleBlock, NoTerminator]> {
  let summary = "a layer as the device interface knows it";
  let description = [{
    One `cim.mvm` with everything a device needs: geometry, the type of its
    input and output integers, placed blocks in the order of accumulation, and
    the epilogue in binary32. Fields mean what they mean in cim_layer
    (include/cim-c/hal.h). Layers are numbered in the order of the module.

    ```mlir
    cim.layer @fc input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
        significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
        clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
      cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0 at @array0[0, 0]
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                   DenseI64ArrayAttr:$input, TypeAttr:$input_type,
                   DenseI64ArrayAttr:$output, TypeAttr:$output_type,
                   DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
                   DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads,
                   I64Attr:$groups,
                   ElementsAttr:$significance, ElementsAttr:$scale, ElementsAttr:$bias,
                   F32Attr:$lo, F32Attr:$hi, NN_RoundingAttr:$rounding,
                   I64Attr:$repeat);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `input` $input $input_type `output` $output $output_type
    `kernel` $kernel `strides` $strides `dilations` $dilations `pads` $pads `groups` $groups
    `significance` `(` $significance `)` `scale` `(` $scale `)` `bias` `(` $bias `)`
    `clamp` `[` $lo `,` $hi `]` `` $rounding `repeat` $repeat
    attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
}

def CIM_StreamOp : CIM_Op<"stream", [
    DestinationStyleOpInterface, DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "run a feature map through a layer";
  let description = [{
    The device writes `output` from `input`, both NHWC with the batch in front.
    On tensors the result is the written output; on buffers there is none.

    ```mlir
    %r = cim.stream @fc ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$layer, CIM_Buffer:$input, CIM_Buffer:$output);
  let results = (outs Optional<4DTensorOf<[F32, I8]>>:$result);
  let assemblyFormat = [{
    $layer `ins` `(` $input `:` type($input) `)` `outs` `(` $output `:` type($output) `)`
    attr-dict (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutputMutable(); }
  }];
}

#endif // CIM_DIALECT_CIM_IR_CIMOPS_TD
