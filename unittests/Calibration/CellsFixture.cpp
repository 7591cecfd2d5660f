// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Networks of layers that share one matrix, of any shape.
#include "CellsFixture.h"
#include "MappedRun.h"
#include "cim/Arch/LoadArch.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "cim/InitAll.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;

namespace cim::test {

static std::string list(ArrayRef<int64_t> values) {
  return "[" +
         llvm::join(llvm::map_range(
                        values, [](int64_t v) { return std::to_string(v); }),
                    ", ") +
         "]";
}

void CellsFixture::SetUp() {
  DialectRegistry registry;
  cim::registerAllDialects(registry);
  insertMappedRunDialects(registry, "imec-ania");
  context =
      std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  writeTarget();
  buildModule();
}

void CellsFixture::writeTarget() {
  int fd;
  llvm::SmallString<128> path;
  ASSERT_FALSE(
      llvm::sys::fs::createTemporaryFile("cim-cells", "yaml", fd, path));
  target = path.str().str();
  remover.setFile(target);
  llvm::raw_fd_ostream os(fd, /*shouldClose=*/true);
  os << "name: tiny\ndescription: a small chip\nkind: crossbar\narray:\n"
     << "  rows: " << shape.rows << "\n  columns: 64\n  count: unlimited\n"
     << "  cell_levels: [" << -shape.cellLimit << ", " << shape.cellLimit
     << "]\n  max_cells_per_weight: 4096\n  source: test\n"
     << "input:\n  bits: 7\n  signs: both\n  encoding: pulse-width\n"
     << "  source: test\nadc:\n  bits: 6\n  rounding: " << shape.rounding
     << "\n  range: twos-complement\n  source: test\ntiming:\n"
     << "  mvm: { value: 50 ns, source: t }\n"
     << "  digital_clock: { value: 1 GHz, source: t }\n";
}

std::string CellsFixture::describeFirst(bool matrix) {
  int64_t channels = shape.channels;
  if (matrix) {
    std::vector<uint8_t> weights(channels * channels);
    for (uint8_t &weight : weights)
      weight = static_cast<int8_t>(random.integer(-1, 1));
    return llvm::formatv("cim.matrix @first weights(dense<\"0x{0}\"> : "
                         "tensor<{1}x{1}xi8>) levels {2} groups 1 {{\n}\n",
                         llvm::toHex(weights), channels, shape.levels());
  }
  return llvm::formatv(
      "%first = cim.mvm @first(%q) kernel [1, 1] strides [1, 1] dilations "
      "[1, 1] pads [0, 0] scale(dense<0.5> : tensor<{0}xf64>) bias(dense<0.5> "
      ": tensor<{0}xf64>) clamp[-63.0, 63.0] nearest_even mean(dense<0.0> : "
      "tensor<{0}xf64>) deviation(dense<20.0> : tensor<{0}xf64>) : ({1}) -> "
      "{1}\n",
      channels, inputType(quantized));
}

std::string CellsFixture::describeLayer(int64_t layer) {
  auto table = [&](double lo, double hi) {
    std::string text;
    for (int64_t n = 0; n < shape.filters; ++n)
      text += (n ? ", " : "") +
              llvm::formatv("{0:e10}", random.uniform(lo, hi)).str();
    return llvm::formatv("(dense<[{0}]> : tensor<{1}xf64>)", text,
                         shape.filters)
        .str();
  };
  return llvm::formatv(
      "%y{0} = cim.mvm @m(%{11}) kernel {1} strides {2} dilations {3} pads {4} "
      "scale{5} bias{6} clamp[{7}, 0x7F800000] "
      "nearest_even {8} : ({9}) -> {10}\n",
      layer, list(shape.kernel),
      list({shape.strides[0] + layer, shape.strides[1] + layer}),
      list(shape.dilations), list(ArrayRef(shape.pads).take_front(2)),
      table(0.5, 1.5), table(-1, 1), layer == 0 ? "0xFF800000" : "0.0",
      shape.isTuned || layer > 0
          ? "mean" + table(0, 1) + " deviation" + table(1, 2)
          : "",
      inputType(quantized), resultType(layer), shape.hasFirst ? "first" : "q");
}

void CellsFixture::buildModule() {
  std::vector<uint8_t> weights(shape.matrixRows() * shape.filters);
  for (int64_t k = 0; k < shape.matrixRows(); ++k)
    for (int64_t n = 0; n < shape.filters; ++n)
      if (shape.isInGroup(k, n))
        weights[k * shape.filters + n] = static_cast<int8_t>(
            random.integer(-shape.levels(), shape.levels()));
  std::string body = shape.hasFirst ? describeFirst(/*matrix=*/false) : "";
  std::string results, types, named;
  for (int64_t layer = 0; layer < shape.layers; ++layer) {
    std::string comma = layer ? ", " : "", number = std::to_string(layer);
    body += describeLayer(layer);
    results += comma + "%y" + number;
    types += comma + resultType(layer);
    named += comma + resultType(layer) + " {nn.name = \"y" + number + "\"}";
  }
  std::string text = llvm::formatv(
      "module attributes {{nn.batch = {0} : i64, nn.model = \"cells\"} {{\n"
      "cim.matrix @m weights(dense<\"0x{1}\"> : tensor<{2}x{3}xi8>) levels "
      "{4} groups {5} {{\n}\n{12}"
      "func.func @main(%x: {6} {{nn.name = \"x\"}) -> ({7}) {{\n"
      "%q = nn.quantize(%x) nearest_even : ({6}) -> {8}\n{9}return {10} : "
      "{11}\n}\n}\n",
      batch, llvm::toHex(weights), shape.matrixRows(), shape.filters,
      shape.levels(), shape.groups, inputType("f32"), named,
      inputType(quantized), body, results, types,
      shape.hasFirst ? describeFirst(/*matrix=*/true) : "");
  module = parseSourceString<ModuleOp>(text, context.get());
  ASSERT_TRUE(module) << text;
  FailureOr<Arch> loaded = loadArch(module->getLoc(), target);
  ASSERT_TRUE(succeeded(loaded));
  arch = std::make_unique<Arch>(*loaded);
  runPasses([&](PassManager &pm) {
    pm.addPass(createSplitWeightsPass(
        {shape.split, std::to_string(shape.cells), target}));
    pm.addPass(createTileMatricesPass({target}));
    pm.addPass(createSetADCGainPass({target}));
  });
  // Some sums shall lie beyond the converters' range.
  module->walk([&](BlockOp block) {
    float gain =
        block.getGain()->convertToFloat() * float(random.uniform(0.7, 2));
    block.setGain(APFloat(shape.gain > 0 ? shape.gain : gain));
  });
}

void CellsFixture::runPasses(llvm::function_ref<void(PassManager &)> build) {
  PassManager pm(context.get());
  build(pm);
  ASSERT_TRUE(succeeded(pm.run(*module)));
}

} // namespace cim::test
