// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes of Conversion.
include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// nn -> linalg -> LLVM
//===----------------------------------------------------------------------===//

def ConvertNNToLinalgPass : Pass<"convert-nn-to-linalg", "::mlir::ModuleOp"> {
  let summary = "lower nn to linalg, tensor, scf, arith and math";
  let description = [{
    Lowers every op of the nn dialect, float and quantised. Quantised tensors
    become tensors of their storage (`!quant.uniform<u8<0:127>:f32, 0.1>` is
    `i8`, read with `arith.extui`), in function signatures too; `nn.quantize`
    and `nn.dequantize` compute what docs/Numerics.md section 1 says.

    Float convolutions and matrix products become linalg's named ops. Products
    of quantised operands add up exactly in 32 bits and are scaled once. Small
    operators become `linalg.generic`s that fuse; `nn.scatter`, whose indices
    may repeat, becomes loops. `nn.observe` becomes a call of
    `@cim_observe`, for `convert-cim-to-llvm`.

    ```mlir
    func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
      %y = nn.relu(%x) : tensor<1x4xf32>
      return %y : tensor<1x4xf32>
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"
  ];
}

def MergeElementwisePass : Pass<"linalg-merge-elementwise", "::mlir::func::FuncOp"> {
  let summary = "few and long loops for element-wise linalg.generics";
  let description = [{
    Fuses an element-wise `linalg.generic` on tensors into its only user, when
    that reads every element once (a window of a pooling does not). Then merges
    neighbouring dimensions that every operand walks in the same order, so that
    the innermost loop is long enough to vectorise: dequantise, add, ReLU and
    quantise of a map become one loop over all its elements, a bias of an NHWC
    map two. A result of the type of an input that has no other user is written
    over it; a transposition to few channels walks in the order of its input.

    ```mlir
    #map = affine_map<(d0, d1) -> (d0, d1)>
    func.func @negate(%x: tensor<8x4xf32>, %y: tensor<8x4xf32>) -> tensor<8x4xf32> {
      %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
          ins(%x : tensor<8x4xf32>) outs(%y : tensor<8x4xf32>) {
      ^bb0(%in: f32, %out: f32):
        %n = arith.negf %in : f32
        linalg.yield %n : f32
      } -> tensor<8x4xf32>
      return %r : tensor<8x4xf32>
    }
    ```
  }];
  let options = [
    Option<"fuse", "fuse", "bool", /*default=*/"true",
           "Fuse; without, only dimensions are merged">
  ];
  let dependentDialects = [
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"
  ];
}

def BufferizeProgramPass : Pass<"cim-bufferize-program", "::mlir::ModuleOp"> {
  let summary = "tensors to buffers; results of @main to output arguments";
  let description = [{
    One-shot bufferisation with dense buffers at function boundaries. A result
    of `@main` becomes an argument after the inputs, and is computed in place
    where possible. Copies are loops, which need no library.

    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      return %x : tensor<4xf32>
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect"
  ];
}

def PackBuffersPass : Pass<"cim-pack-buffers", "::mlir::func::FuncOp"> {
  let summary = "one allocation for all buffers of a function";
  let description = [{
    A buffer lives until the last operation that uses it or a view of it. Those
    of static size are put into one, where those that are not needed at the same
    time share a place; others are freed at their end. The allocator then gives
    the same memory in every run, instead of returning it to the system and
    getting it back page by page. 8 GiB or more is an error.

    ```mlir
    func.func @main(%x: memref<4xf32>) {
      %a = memref.alloc() : memref<4xf32>
      memref.copy %x, %a : memref<4xf32> to memref<4xf32>
      %b = memref.alloc() : memref<4xf32>
      memref.copy %x, %b : memref<4xf32> to memref<4xf32>
      return
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"
  ];
}

def ConvertCIMToLLVMPass : Pass<"convert-cim-to-llvm", "::mlir::ModuleOp"> {
  let summary = "calls into the runtime, through its table of functions";
  let description = [{
    Gives `@main` a first argument `%host: !llvm.ptr`, a `cim_host` of
    include/cim-c/model.h, and turns into calls of the functions it points to:
    `cim.stream`; calls of `@cim_observe`; float convolutions and matrix
    products (`linalg.conv_2d_nchw_fchw`, `linalg.conv_2d_ngchw_gfchw`,
    `linalg.matmul`, `linalg.batch_matmul`). An operand that is not dense is
    copied first. `cim.array` and `cim.layer` go: the manifest describes them.
    Constants become strings of bytes, which LLVM handles faster.

    Runs on buffers, before linalg becomes loops.

    ```mlir
    func.func @main(%a: memref<2x3xf32>, %b: memref<3x4xf32>, %c: memref<2x4xf32>) {
      linalg.matmul ins(%a, %b : memref<2x3xf32>, memref<3x4xf32>) outs(%c : memref<2x4xf32>)
      return
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect"
  ];
}

def OutlineLoopsPass : Pass<"cim-outline-loops", "::mlir::ModuleOp"> {
  let summary = "every loop of @main in a function of its own";
  let description = [{
    Turns the linalg ops of `@main`, which are on buffers by now, into calls of
    private functions; equal ones are shared. The time of LLVM's analyses grows
    faster than the number of loops in a function. An argument that is not a
    view of the same buffer as another one is marked `llvm.noalias`.

    ```mlir
    func.func @main(%x: memref<4xf32>) {
      %zero = arith.constant 0.0 : f32
      linalg.fill ins(%zero : f32) outs(%x : memref<4xf32>)
      return
    }
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def ConvertNNToCIMPass : Pass<"convert-nn-to-cim", "::mlir::ModuleOp"> {
  let summary = "put crossbar ops with quantised operands on matrices";
  let description = [{
    Every op that offers a crossbar matrix (`CrossbarOpInterface`) becomes a
    `cim.matrix`, named after its ONNX node, and a `cim.mvm` between
    `nn.transpose`s from NCHW to NHWC and back (convolutions) or `nn.reshape`s
    (matrix products), when
    - its input has one scale, zero point 0, 8-bit storage and a range that the
      input converters of the target can make,
    - its weights are a constant of signed 8-bit storage, zero point 0, with one
      scale or one per output channel,
    - its bias is absent or constant, and
    - a grouped convolution, as a block-diagonal matrix cut for the target's
      arrays, takes at most `max_cells_per_weight` cells per weight and plane.

    `scale` is the product of the scales in binary64; `nn.mean` and
    `nn.deviation` become `mean` and `deviation`. Ops that read one constant in
    the same way, such as the steps of a recurrent layer, use one `cim.matrix`,
    named after the first.

    Other crossbar ops stay, with the reason in the attribute `nn.digital` and in
    a remark: as a diagnostic, and
    as a missed optimisation `StaysDigital` of category `convert-nn-to-cim` for
    MLIR's remark engine. To that engine the pass also reports what it mapped
    (passed, `Mapped`) and ops that have no crossbar form (analysis,
    `HostOp`).

    ```mlir
    func.func @main(%x: tensor<1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x2xf32> {
      %w = nn.constant dense<[[1, -1], [1, 0]]> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:1, {0.5, 0.25}>>
      %y = nn.matmul(%x, %w) : (tensor<1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:1, {0.5, 0.25}>>) -> tensor<1x2xf32>
      return %y : tensor<1x2xf32>
    }
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"imec-ania\"",
           "The chip: a name of targets/ or the path of a YAML file">
  ];
  let dependentDialects = ["::cim::CIMDialect", "::cim::nn::NNDialect"];
}
