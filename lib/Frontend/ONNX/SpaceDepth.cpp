// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// DepthToSpace and SpaceToDepth.
#include "Compose.h"

using namespace mlir;

namespace cim::onnx {

namespace {
/// The operand's extents and the attributes that both operators have.
struct Blocks {
  int64_t n = 1, c = 1, h = 1, w = 1, size = 1;
  /// Channels, then places in the block (CRD), or the other way round (DCR).
  bool channelsFirst = false;
};
} // namespace

static Blocks readBlocks(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  StringRef mode = b.getString("mode", "DCR");
  Blocks blocks;
  blocks.size = b.getInt("blocksize", 0);
  blocks.channelsFirst = mode == "CRD";
  if (b.failed())
    return {};
  if (mode != "CRD" && mode != "DCR")
    b.error() << "expected 'mode' to be DCR or CRD, but got '" << mode << "'";
  if (blocks.size < 1 || blocks.size > (1 << 15))
    b.error() << "expected a 'blocksize' of 1 to 32768, but got "
              << blocks.size;
  if (shape.size() != 4)
    b.error() << "expected an operand of rank 4 (N x C x H x W), but got "
              << shapeText(shape);
  if (b.failed())
    return {};
  blocks.n = shape[0], blocks.c = shape[1], blocks.h = shape[2],
  blocks.w = shape[3];
  return blocks;
}

static LogicalResult importDepthToSpace(NodeBinder &b) {
  auto [n, c, h, w, size, channelsFirst] = readBlocks(b);
  Value input = b.input(0);
  if (b.failed())
    return failure();
  if (c % (size * size) != 0)
    return b.error() << "expected the " << c << " channels to be a multiple of "
                     << size << " x " << size;
  int64_t channels = c / (size * size);
  if (!channelsFirst) {
    Value blocksFirst = b.createReshape(input, {n, size, size, channels, h, w});
    input = permute(b, blocksFirst, {0, 3, 1, 2, 4, 5});
  }
  return b.result(blocksToSpace(
      b, b.createReshape(input, {n, channels, size, size, h, w})));
}

static LogicalResult importSpaceToDepth(NodeBinder &b) {
  auto [n, c, h, w, size, channelsFirst] = readBlocks(b);
  Value input = b.input(0);
  if (b.failed())
    return failure();
  if (h % size != 0 || w % size != 0)
    return b.error() << "expected height and width to be multiples of " << size
                     << ", but got " << h << " and " << w;
  Value split = b.createReshape(input, {n, c, h / size, size, w / size, size});
  SmallVector<int64_t> permutation{0, 3, 5, 1, 2, 4};
  if (channelsFirst)
    permutation = {0, 1, 3, 5, 2, 4};
  return b.result(b.createReshape(permute(b, split, permutation),
                                  {n, c * size * size, h / size, w / size}));
}

void registerSpaceDepth(HandlerTable &table) {
  table.add("DepthToSpace", {Place::Digital, ""}, {{1, importDepthToSpace}});
  table.add("SpaceToDepth", {Place::Digital, ""}, {{1, importSpaceToDepth}});
}

} // namespace cim::onnx
