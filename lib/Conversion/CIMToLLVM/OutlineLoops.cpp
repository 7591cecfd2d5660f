// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-outline-loops: every loop of @main in a function of its own.
#include "cim/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

namespace cim {
#define GEN_PASS_DEF_OUTLINELOOPSPASS
#include "cim/Conversion/Passes.h.inc"
} // namespace cim

using namespace mlir;

/// The allocation, argument or global that a buffer is a view of. A memref.view
/// is a root of its own: those of cim-pack-buffers do not overlap while both
/// are in use, and those of constants are not written.
static Value findRoot(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>()) {
    if (isa<memref::ViewOp>(view))
      return buffer;
    buffer = view.getViewSource();
  }
  return buffer;
}

/// Bare pointers cannot carry sizes, strides or offsets.
static bool isStatic(Type type) {
  auto buffer = dyn_cast<MemRefType>(type);
  if (!buffer)
    return type.isIntOrIndexOrFloat();
  SmallVector<int64_t> strides;
  int64_t offset;
  return buffer.hasStaticShape() &&
         succeeded(buffer.getStridesAndOffset(strides, offset)) &&
         llvm::none_of(strides, ShapedType::isDynamic) &&
         ShapedType::isStatic(offset);
}

namespace {
struct OutlineLoops : cim::impl::OutlineLoopsPassBase<OutlineLoops> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    functions.clear();
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal()) {
      module.emitError("expected a function @main with a body");
      return signalPassFailure();
    }
    SmallVector<linalg::LinalgOp> loops(main.getOps<linalg::LinalgOp>());
    for (linalg::LinalgOp loop : loops)
      outline(loop, module);
  }

private:
  /// Functions by the text of what they compute.
  llvm::StringMap<func::FuncOp> functions;

  void outline(linalg::LinalgOp loop, ModuleOp module) {
    llvm::SetVector<Value> values(loop->operand_begin(), loop->operand_end());
    getUsedValuesDefinedAbove(loop->getRegions(), values);
    SmallVector<Value> arguments, constants;
    for (Value value : values) {
      if (matchPattern(value, m_Constant()))
        constants.push_back(value);
      else if (isStatic(value.getType()))
        arguments.push_back(value);
      else
        return;
    }
    func::FuncOp function = build(loop, arguments, constants);
    std::string text;
    llvm::raw_string_ostream(text) << function;
    auto [entry, isNew] = functions.try_emplace(text, function);
    if (isNew) {
      function.setSymName("cim_loop_" + std::to_string(functions.size()));
      module.push_back(function);
    } else {
      function.erase();
    }
    OpBuilder builder(loop);
    func::CallOp::create(builder, loop->getLoc(), entry->second, arguments);
    loop->erase();
  }

  static func::FuncOp build(linalg::LinalgOp loop, ArrayRef<Value> arguments,
                            ArrayRef<Value> constants) {
    OpBuilder builder(loop->getContext());
    Location loc = loop->getLoc();
    auto type = builder.getFunctionType(ValueRange(arguments).getTypes(), {});
    auto function = func::FuncOp::create(loc, "cim_loop", type);
    function.setPrivate();
    // Inlined, hundreds of loops in one function make LLVM's analyses slow.
    function->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
    markDistinct(function, arguments);
    IRMapping mapping;
    Block *body = function.addEntryBlock();
    mapping.map(arguments, body->getArguments());
    builder.setInsertionPointToStart(body);
    for (Value constant : constants)
      builder.clone(*constant.getDefiningOp(), mapping);
    builder.clone(*loop, mapping);
    func::ReturnOp::create(builder, loc);
    return function;
  }

  /// Tells LLVM which buffers do not overlap.
  static void markDistinct(func::FuncOp function, ArrayRef<Value> arguments) {
    SmallVector<Value> roots = llvm::map_to_vector(arguments, findRoot);
    Builder builder(function.getContext());
    for (auto [number, root] : llvm::enumerate(roots))
      if (isa<MemRefType>(root.getType()) && llvm::count(roots, root) == 1)
        function.setArgAttr(number, LLVM::LLVMDialect::getNoAliasAttrName(),
                            builder.getUnitAttr());
  }
};
} // namespace
