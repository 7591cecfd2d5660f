// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cim dialect, its types and enums.
#ifndef CIM_DIALECT_CIM_IR_CIMDIALECT_TD
#define CIM_DIALECT_CIM_IR_CIMDIALECT_TD

include "cim/Dialect/CIM/IR/CIMEnums.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Dialect/Quant/IR/QuantBase.td"

def CIM_Dialect : Dialect {
  let name = "cim";
  let cppNamespace = "::cim";
  let summary = "matrices on crossbar arrays, and the program that streams through them";
  let description = [{
    Two levels in one dialect.

    Logical: `cim.matrix` is the integer matrix of a layer and, step by step,
    its mapping (planes of cells, row blocks, ADC gain, place); `cim.mvm` is
    its use on an NHWC feature map with the digital epilogue.

    Program: `cim.array` is an array with the image of its cells, `cim.layer`
    what the device interface calls a layer (include/cim-c/hal.h), `cim.stream`
    the call that runs a feature map through it.

    docs/Numerics.md says what is computed.

    Why it is like this:
    - A matrix is a symbol and not an operand. Its mapping grows step by step
      beside the network instead of in it, and uses that share a matrix share
      its cells.
    - `cim.mvm` is a whole layer, window and epilogue included, because that is
      what a device takes: a simulator runs it as one blocked integer product, a
      driver as a hardware loop.
    - Maps are NHWC, so that the channels of a tap are neighbours in memory and
      in the rows of the array. `nn` stays NCHW; transposes mark the border, and
      `nn-sink-transposes` removes what cancels.
    - `scale` and `bias` stay binary64 until the program is built: calibration
      and fusion multiply them again and again, and only one rounding counts.
    - Rows are cut by rule, since the rows of a block share an ADC conversion;
      columns are cut by placement, since that changes no number.
  }];
  let dependentDialects = ["::cim::nn::NNDialect", "::mlir::quant::QuantDialect"];
  let useDefaultAttributePrinterParser = 1;
}

def CIM_SplitAttr : EnumAttr<CIM_Dialect, CIM_Split, "split"> {
  let assemblyFormat = "$value";
}

/// Four-dimensional NHWC feature map of quantised values or floats.
def CIM_QuantMap : StaticShapeTensorOf<[quant_QuantizedType]>;
def CIM_Map : StaticShapeTensorOf<[F32, quant_QuantizedType]>;
def CIM_Buffer : AnyTypeOf<[4DTensorOf<[F32, I8]>, MemRefRankOf<[F32, I8], [4]>]>;

#endif // CIM_DIALECT_CIM_IR_CIMDIALECT_TD
