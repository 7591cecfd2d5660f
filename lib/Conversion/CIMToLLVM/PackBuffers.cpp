// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-pack-buffers: one allocation for all buffers of @main.
#include "cim/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

namespace cim {
#define GEN_PASS_DEF_PACKBUFFERSPASS
#include "cim/Conversion/Passes.h.inc"
} // namespace cim

using namespace mlir;

namespace {

/// A buffer, the operations between which it lives, and where it is put.
struct Buffer {
  memref::AllocOp allocation;
  memref::DeallocOp end;    ///< if there is one already
  Operation *last;          ///< that uses it
  int64_t from = 0, to = 0; ///< numbers of operations, both included
  int64_t size = 0;         ///< bytes, rounded up to the alignment
  int64_t offset = 0;
};

constexpr int64_t alignment = 64;

/// Bytes that one call may need. Compiled code does not check allocations, and
/// extents of a convolution are 32 bits wide (cim_conv2d_shape).
constexpr uint64_t maxBytes = (uint64_t(1) << 33) - 1;

uint64_t countBytes(MemRefType type) {
  uint64_t bytes = (type.getElementTypeBitWidth() + 7) / 8;
  for (int64_t extent : type.getShape())
    bytes = llvm::SaturatingMultiply<uint64_t>(bytes, extent);
  return bytes;
}

struct PackBuffers : cim::impl::PackBuffersPassBase<PackBuffers> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    WalkResult walked = function.walk([](memref::AllocOp allocation) {
      MemRefType type = allocation.getType();
      if (type.hasStaticShape() && type.getElementType().isIntOrFloat() &&
          countBytes(type) > maxBytes)
        return refuse(allocation, countBytes(type));
      return WalkResult::advance();
    });
    if (walked.wasInterrupted())
      return signalPassFailure();
    SmallVector<Buffer> buffers = collect(function);
    llvm::erase_if(buffers, [](Buffer &buffer) {
      if (buffer.size == 0)
        endAfterLastUse(buffer);
      return buffer.size == 0;
    });
    if (buffers.empty())
      return;
    int64_t total = place(buffers);
    if (uint64_t(total) > maxBytes) {
      (void)refuse(function, total);
      return signalPassFailure();
    }
    replace(function, buffers, total);
  }

private:
  static WalkResult refuse(Operation *op, uint64_t bytes) {
    op->emitError("expected at most ")
        << maxBytes << " bytes of buffers in one call, but they take " << bytes
        << "; compile for fewer samples per call or for smaller inputs "
           "(cim-compile --shape)";
    return WalkResult::interrupt();
  }

  /// Buffers that the entry block allocates and nobody outside of it uses; size
  /// 0 for those that cannot be packed.
  static SmallVector<Buffer> collect(func::FuncOp function) {
    Block &block = function.front();
    llvm::DenseMap<Operation *, int64_t> numbers;
    for (auto [number, op] : llvm::enumerate(block))
      numbers[&op] = number;
    SmallVector<Buffer> buffers;
    for (auto allocation : block.getOps<memref::AllocOp>()) {
      Buffer buffer{allocation, {}, allocation};
      buffer.from = buffer.to = numbers[allocation];
      findLastUse(buffer, block, numbers);
      if (buffer.last == block.getTerminator())
        continue;
      MemRefType type = allocation.getType();
      Type element = type.getElementType();
      bool hasBytes =
          element.isIntOrFloat() && element.getIntOrFloatBitWidth() % 8 == 0;
      if (hasBytes && type.hasStaticShape() && type.getLayout().isIdentity())
        buffer.size = llvm::alignTo(countBytes(type), alignment);
      buffers.push_back(buffer);
    }
    return buffers;
  }

  static void findLastUse(Buffer &buffer, Block &block,
                          const llvm::DenseMap<Operation *, int64_t> &numbers) {
    SmallVector<Value> names{buffer.allocation};
    while (!names.empty())
      for (Operation *user : names.pop_back_val().getUsers()) {
        if (auto dealloc = dyn_cast<memref::DeallocOp>(user))
          buffer.end = dealloc;
        // What an op makes of a buffer may be the same memory.
        for (Value result : user->getResults())
          if (isa<BaseMemRefType>(result.getType()))
            names.push_back(result);
        Operation *at = block.findAncestorOpInBlock(*user);
        int64_t number = numbers.lookup(at);
        if (number <= buffer.to)
          continue;
        buffer.to = number;
        buffer.last = at;
      }
  }

  static void endAfterLastUse(Buffer &buffer) {
    if (buffer.end)
      return;
    OpBuilder builder(buffer.allocation);
    builder.setInsertionPointAfter(buffer.last);
    memref::DeallocOp::create(builder, buffer.last->getLoc(),
                              buffer.allocation);
  }

  /// Greedy by size: each buffer at the lowest place that no buffer of the same
  /// time takes. Returns the size of the whole.
  static int64_t place(SmallVector<Buffer> &buffers) {
    SmallVector<Buffer *> order;
    for (Buffer &buffer : buffers)
      order.push_back(&buffer);
    llvm::sort(order, [](const Buffer *a, const Buffer *b) {
      return std::pair(-a->size, a->from) < std::pair(-b->size, b->from);
    });
    int64_t total = 0;
    SmallVector<Buffer *> placed; // by offset
    for (Buffer *buffer : order) {
      for (const Buffer *other : placed) {
        bool sameTime = other->from <= buffer->to && buffer->from <= other->to;
        if (sameTime && other->offset < buffer->offset + buffer->size)
          buffer->offset =
              std::max(buffer->offset, other->offset + other->size);
      }
      total = std::max(total, buffer->offset + buffer->size);
      placed.insert(llvm::upper_bound(placed, buffer,
                                      [](const Buffer *a, const Buffer *b) {
                                        return a->offset < b->offset;
                                      }),
                    buffer);
    }
    return total;
  }

  static void replace(func::FuncOp function, ArrayRef<Buffer> buffers,
                      int64_t total) {
    OpBuilder builder = OpBuilder::atBlockBegin(&function.front());
    Location loc = function.getLoc();
    auto type = MemRefType::get({total}, builder.getI8Type());
    Value arena = memref::AllocOp::create(builder, loc, type,
                                          builder.getI64IntegerAttr(alignment));
    for (const Buffer &buffer : buffers) {
      memref::AllocOp allocation = buffer.allocation;
      builder.setInsertionPoint(allocation);
      Value offset = arith::ConstantIndexOp::create(
          builder, allocation.getLoc(), buffer.offset);
      Value view = memref::ViewOp::create(builder, allocation.getLoc(),
                                          allocation.getType(), arena, offset,
                                          ValueRange{});
      if (memref::DeallocOp end = buffer.end)
        end.erase();
      allocation.replaceAllUsesWith(view);
      allocation.erase();
    }
    builder.setInsertionPoint(function.front().getTerminator());
    memref::DeallocOp::create(builder, loc, arena);
  }
};

} // namespace
