// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs whose cells are parameters, against the matrices they stand for and
// against docs/Numerics.md, one product after the other.
#include "MappedRun.h"
#include "ModelRunner.h"
#include "TuningProgram.h"
#include "WindowSample.h"
#include "cim/Arch/LoadArch.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "cim/InitAll.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/FormatVariadic.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace cim;

namespace {

struct Shape {
  std::string name;
  int64_t channels, filters;
  std::array<int64_t, 2> size{1, 1}, kernel{1, 1}, strides{1, 1};
  std::array<int64_t, 2> dilations{1, 1};
  std::array<int64_t, 4> pads{0, 0, 0, 0}; // top, left, bottom, right
  int64_t groups = 1, cells = 1;
  Split split = Split::Radix;
  int64_t rows = 256; // of an array
  std::string rounding = "nearest-even";
  int64_t cellLimit = 1;
  float gain = 0;     // of all blocks; 0: each has its own
  int64_t layers = 1; // of one matrix; the second has longer strides
  bool isTuned = true;

  int64_t outSize(int d, int64_t layer) const {
    int64_t reach = dilations[d] * (kernel[d] - 1) + 1;
    return (size[d] + pads[d] + pads[d + 2] - reach) / (strides[d] + layer) + 1;
  }
  int64_t taps() const { return kernel[0] * kernel[1]; }
  int64_t matrixRows() const { return channels * taps(); }
  int64_t levels() const {
    int64_t base =
        split == Split::Magnitude ? cellLimit + 1 : 2 * cellLimit + 1;
    int64_t power = 1;
    for (int64_t i = 0; i < cells; ++i)
      power *= base;
    switch (split) {
    case Split::Residual:
      return 127;
    case Split::Radix:
      return (power - 1) / 2;
    case Split::Magnitude:
      return power - 1;
    default:
      return cells * cellLimit;
    }
  }
};

void PrintTo(const Shape &shape, std::ostream *os) { *os << shape.name; }

constexpr int64_t batch = 2;
constexpr double inputUnit = 0.07;

/// Numbers that are the same everywhere.
class Random {
public:
  double uniform(double lo, double hi) {
    double part = double(WindowSample::mix(next++) >> 11) * 0x1p-53;
    return lo + part * (hi - lo);
  }
  int64_t integer(int64_t lo, int64_t hi) {
    return std::min(hi, int64_t(std::floor(uniform(lo, hi + 1))));
  }

private:
  uint64_t next = 0;
};

std::string list(ArrayRef<int64_t> values) {
  return "[" +
         llvm::join(llvm::map_range(
                        values, [](int64_t v) { return std::to_string(v); }),
                    ", ") +
         "]";
}

struct Outcome {
  double loss = 0;
  std::vector<double> gradient; // of tables, then of cells
};

class CellsFixture : public testing::TestWithParam<Shape> {
protected:
  void SetUp() override {
    DialectRegistry registry;
    cim::registerAllDialects(registry);
    insertMappedRunDialects(registry, "imec-ania");
    context = std::make_unique<MLIRContext>(registry,
                                            MLIRContext::Threading::DISABLED);
    context->loadAllAvailableDialects();
    writeTarget();
    buildModule();
  }

  void writeTarget() {
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

  std::string mapType(int64_t h, int64_t w, int64_t c, StringRef element) {
    return llvm::formatv("tensor<{0}x{1}x{2}x{3}x{4}>", batch, h, w, c,
                         element);
  }
  std::string resultType(int64_t layer) {
    return mapType(shape.outSize(0, layer), shape.outSize(1, layer),
                   shape.filters, "f32");
  }
  std::string inputType(StringRef element) {
    return mapType(shape.size[0], shape.size[1], shape.channels, element);
  }

  std::string describeLayer(int64_t layer) {
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
        "%y{0} = cim.mvm @m(%q) kernel {1} strides {2} dilations {3} pads {4} "
        "scale{5} bias{6} clamp[{7}, 0x7F800000] "
        "nearest_even {8} : ({9}) -> {10}\n",
        layer, list(shape.kernel),
        list({shape.strides[0] + layer, shape.strides[1] + layer}),
        list(shape.dilations), list(ArrayRef(shape.pads).take_front(2)),
        table(0.5, 1.5), table(-1, 1), layer == 0 ? "0xFF800000" : "0.0",
        shape.isTuned || layer > 0
            ? "mean" + table(0, 1) + " deviation" + table(1, 2)
            : "",
        inputType(quantized), resultType(layer));
  }

  void buildModule() {
    std::vector<uint8_t> weights(shape.matrixRows() * shape.filters);
    for (int64_t k = 0; k < shape.matrixRows(); ++k)
      for (int64_t n = 0; n < shape.filters; ++n)
        if (isInGroup(k, n))
          weights[k * shape.filters + n] = static_cast<int8_t>(
              random.integer(-shape.levels(), shape.levels()));
    std::string body, results, types, named;
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
        "{4} groups {5} {{\n}\n"
        "func.func @main(%x: {6} {{nn.name = \"x\"}) -> ({7}) {{\n"
        "%q = nn.quantize(%x) nearest_even : ({6}) -> {8}\n{9}return {10} : "
        "{11}\n}\n}\n",
        batch, llvm::toHex(weights), shape.matrixRows(), shape.filters,
        shape.levels(), shape.groups, inputType("f32"), named,
        inputType(quantized), body, results, types);
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

  void runPasses(llvm::function_ref<void(PassManager &)> build) {
    PassManager pm(context.get());
    build(pm);
    ASSERT_TRUE(succeeded(pm.run(*module)));
  }

  bool isInGroup(int64_t k, int64_t n) const {
    return k / (shape.matrixRows() / shape.groups) ==
           n / (shape.filters / shape.groups);
  }

  static constexpr char quantized[] = "!quant.uniform<i8<-63:63>:f32, 0.07>";
  std::string target;
  llvm::FileRemover remover;
  const Shape &shape = GetParam();
  Random random;
  std::unique_ptr<MLIRContext> context;
  std::unique_ptr<Arch> arch;
  OwningOpRef<ModuleOp> module;
};

//===----------------------------------------------------------------------===//
// What programs compute
//===----------------------------------------------------------------------===//

struct Program {
  OwningOpRef<ModuleOp> module; // outlives the model
  ModelRunner model;
};

class RealCells : public CellsFixture {
protected:
  void SetUp() override {
    CellsFixture::SetUp();
    FailureOr<TunedNetwork> found =
        collectTuned(*module, *arch, /*withCells=*/true);
    ASSERT_TRUE(succeeded(found));
    network = std::move(*found);
    ASSERT_EQ(network.matrices.size(), 1u);
    ASSERT_EQ(network.countTables(), shape.layers * 2 * shape.filters);
    int64_t places = shape.matrixRows() * shape.filters / shape.groups;
    ASSERT_EQ(network.countCells(), network.matrices[0].planes * places);
    for (int64_t i = 0; i < network.countTables(); ++i)
      tables.push_back(random.uniform(-0.3, 0.3));
    for (int64_t i = 0;
         i < batch * shape.size[0] * shape.size[1] * shape.channels; ++i)
      input.push_back(random.integer(-63, 63));
    for (int64_t layer = 0; layer < shape.layers; ++layer)
      for (int64_t i = 0; i < batch * shape.outSize(0, layer) *
                                  shape.outSize(1, layer) * shape.filters;
           ++i)
        targets[layer].push_back(float(random.uniform(-50, 50)));
  }

  /// Compiles the tuning program of the module as it is.
  std::unique_ptr<Program> compile(bool withCells) {
    auto compiled = std::make_unique<Program>();
    compiled->module = module->clone();
    std::vector<TunedOutput> outputs;
    for (int64_t layer = 0; layer < shape.layers; ++layer)
      outputs.push_back(describeOutput(*module, layer, /*classes=*/false));
    EXPECT_TRUE(
        succeeded(buildTuningProgram(*compiled->module, *arch, outputs,
                                     /*gradients=*/withCells, withCells)));
    PassManager pm(context.get());
    buildTrialPipeline(pm, target);
    EXPECT_TRUE(succeeded(pm.run(*compiled->module)));
    FailureOr<ModelRunner> model =
        ModelRunner::compile(*compiled->module, *arch);
    EXPECT_TRUE(succeeded(model));
    compiled->model = std::move(*model);
    return compiled;
  }

  Outcome run(const Program &program, ArrayRef<double> cells) {
    FailureOr<CallRunner> runner = CallRunner::create(program.model, 1);
    EXPECT_TRUE(succeeded(runner));
    std::vector<float> real, parameters, losses(batch);
    for (int64_t q : input)
      real.push_back(float(double(q) * inputUnit));
    for (int64_t sample = 0; sample < batch; ++sample) {
      parameters.insert(parameters.end(), tables.begin(), tables.end());
      parameters.insert(parameters.end(), cells.begin(), cells.end());
    }
    std::vector<float> gradients(parameters.size());
    SmallVector<const char *> in{bytes(real)};
    for (int64_t layer = 0; layer < shape.layers; ++layer)
      in.push_back(bytes(targets[layer]));
    in.push_back(bytes(parameters));
    SmallVector<char *> out{bytes(losses)};
    if (!cells.empty())
      out.push_back(bytes(gradients));
    EXPECT_TRUE(succeeded(runner->run(batch, in, out)));
    Outcome outcome;
    outcome.loss = losses[0] + losses[1];
    outcome.gradient.assign(parameters.size() / batch, 0);
    for (auto [i, value] : llvm::enumerate(gradients))
      outcome.gradient[i % outcome.gradient.size()] += value;
    return outcome;
  }

  /// The same after docs/Numerics.md, window by window; rounding counts as the
  /// identity.
  Outcome compute(ArrayRef<double> cells) {
    std::vector<double> matrix = spread(cells);
    std::vector<double> gradient(matrix.size());
    Outcome outcome;
    outcome.gradient.assign(network.countTables(), 0);
    for (int64_t layer = 0; layer < shape.layers; ++layer)
      addLayer(layer, matrix, outcome, gradient);
    for (int64_t place : places())
      outcome.gradient.push_back(gradient[place]);
    return outcome;
  }

  static const char *bytes(const std::vector<float> &values) {
    return reinterpret_cast<const char *>(values.data());
  }
  static char *bytes(std::vector<float> &values) {
    return reinterpret_cast<char *>(values.data());
  }

  /// Where cells lie among planes x K x N.
  std::vector<int64_t> places() {
    std::vector<int64_t> found;
    for (int64_t plane = 0; plane < network.matrices[0].planes; ++plane)
      for (int64_t k = 0; k < shape.matrixRows(); ++k)
        for (int64_t n = 0; n < shape.filters; ++n)
          if (isInGroup(k, n))
            found.push_back((plane * shape.matrixRows() + k) * shape.filters +
                            n);
    return found;
  }

  std::vector<double> spread(ArrayRef<double> cells) {
    std::vector<double> matrix(network.matrices[0].planes * shape.matrixRows() *
                               shape.filters);
    for (auto [place, cell] : llvm::zip_equal(places(), cells))
      matrix[place] = cell;
    return matrix;
  }

  /// What row k of a window reads; 0 outside.
  int64_t read(int64_t layer, int64_t sample, int64_t y, int64_t x, int64_t k) {
    int64_t channels = shape.channels / shape.groups, taps = shape.taps();
    int64_t group = k / (taps * channels), tap = k / channels % taps;
    int64_t h = y * (shape.strides[0] + layer) - shape.pads[0] +
                tap / shape.kernel[1] * shape.dilations[0];
    int64_t w = x * (shape.strides[1] + layer) - shape.pads[1] +
                tap % shape.kernel[1] * shape.dilations[1];
    if (h < 0 || h >= shape.size[0] || w < 0 || w >= shape.size[1])
      return 0;
    return input[((sample * shape.size[0] + h) * shape.size[1] + w) *
                     shape.channels +
                 group * channels + k % channels];
  }

  void addLayer(int64_t layer, const std::vector<double> &matrix,
                Outcome &outcome, std::vector<double> &gradient) {
    int64_t index = 0, perSample = targets[layer].size() / batch;
    for (int64_t sample = 0; sample < batch; ++sample)
      for (int64_t y = 0; y < shape.outSize(0, layer); ++y)
        for (int64_t x = 0; x < shape.outSize(1, layer); ++x) {
          std::vector<int64_t> window;
          for (int64_t k = 0; k < shape.matrixRows(); ++k)
            window.push_back(read(layer, sample, y, x, k));
          for (int64_t n = 0; n < shape.filters; ++n)
            addValue(layer, window, n, targets[layer][index++], perSample,
                     matrix, outcome, gradient);
        }
  }

  void addValue(int64_t layer, ArrayRef<int64_t> window, int64_t n,
                double wanted, int64_t perSample,
                const std::vector<double> &matrix, Outcome &outcome,
                std::vector<double> &gradient) {
    const TunedMatrix &tuned = network.matrices[0];
    const TunedLayer &own = network.layers[layer];
    size_t first = layer * 2 * shape.filters;
    double factor = std::exp(tables[first + n]),
           shift = tables[first + shape.filters + n];
    double sum = 0;
    std::vector<std::pair<BlockOp, double>> passing;
    for (BlockOp block : MatrixOp(tuned.op).getBody().getOps<BlockOp>()) {
      if (n < int64_t(block.getN()) ||
          n >= int64_t(block.getN() + block.getNCount()))
        continue;
      double significance =
          tuned.significance[block.getPlane() * shape.filters + n];
      double gain = block.getGain()->convertToFloat(), product = 0;
      for (int64_t k = block.getK();
           k < int64_t(block.getK() + block.getKCount()); ++k)
        product +=
            double(window[k]) *
            matrix[(block.getPlane() * shape.matrixRows() + k) * shape.filters +
                   n];
      bool isNearest = shape.rounding == "nearest-even";
      double code = isNearest ? std::nearbyint(product * gain)
                              : std::floor(product * gain);
      code = std::clamp(code, -32.0, 31.0) +
             (shape.rounding == "mid-rise" ? 0.5 : 0);
      sum += code / gain * significance;
      if (product * gain >= -32 && product * gain <= 31)
        passing.emplace_back(block, significance);
    }
    double value =
        sum * own.scale[n] * factor + own.bias[n] + shift * own.deviation[n];
    bool isCut = layer > 0 && value < 0;
    double error = (isCut ? 0 : value) - wanted;
    outcome.loss += error * error / double(perSample);
    if (isCut)
      return;
    double slope = 2 * error / double(perSample);
    outcome.gradient[first + n] += slope * sum * own.scale[n] * factor;
    outcome.gradient[first + shape.filters + n] += slope * own.deviation[n];
    for (auto [block, significance] : passing)
      for (int64_t k = block.getK();
           k < int64_t(block.getK() + block.getKCount()); ++k)
        gradient[(block.getPlane() * shape.matrixRows() + k) * shape.filters +
                 n] +=
            slope * own.scale[n] * factor * significance * double(window[k]);
  }

  static void expectNear(const Outcome &found, const Outcome &wanted) {
    EXPECT_NEAR(found.loss / wanted.loss, 1, 1e-5);
    ASSERT_EQ(found.gradient.size(), wanted.gradient.size());
    double largest = 0, furthest = 0;
    for (auto [is, should] : llvm::zip_equal(found.gradient, wanted.gradient)) {
      largest = std::max(largest, std::abs(should));
      furthest = std::max(furthest, std::abs(is - should));
    }
    EXPECT_LT(furthest / largest, 1e-5);
  }

  TunedNetwork network;
  std::vector<double> tables;
  std::vector<int64_t> input;
  std::array<std::vector<float>, 2> targets;
};

TEST_P(RealCells, MultiplyAsDocumented) {
  std::unique_ptr<Program> program = compile(/*withCells=*/true);
  std::vector<double> cells;
  for (int64_t i = 0; i < network.countCells(); ++i)
    cells.push_back(float(random.uniform(-shape.cellLimit, shape.cellLimit)));
  expectNear(run(*program, cells), compute(cells));

  // Integers: what a matrix with these cells makes of it.
  for (double &cell : cells)
    cell = random.integer(-shape.cellLimit, shape.cellLimit);
  ASSERT_TRUE(succeeded(setCells(network.matrices[0], cells)));
  runPasses([&](PassManager &pm) {
    pm.addPass(createVerifyPhasePass({target, VerifiedPhase::Calibrated}));
  });
  FailureOr<TunedNetwork> again =
      collectTuned(*module, *arch, /*withCells=*/true);
  ASSERT_TRUE(succeeded(again));
  EXPECT_EQ(again->matrices[0].cells, cells);
  double whole = run(*compile(/*withCells=*/false), {}).loss;
  EXPECT_NEAR(run(*program, cells).loss / whole, 1, 1e-6);
}

//===----------------------------------------------------------------------===//
// Which matrices stay as they are
//===----------------------------------------------------------------------===//

class FixedCells : public CellsFixture {};

TEST_P(FixedCells, AreNoParameters) {
  FailureOr<TunedNetwork> found =
      collectTuned(*module, *arch, /*withCells=*/true);
  ASSERT_TRUE(succeeded(found));
  EXPECT_TRUE(found->matrices.empty());
}

} // namespace

static const Shape shapes[] = {
    {.name = "Dense", .channels = 12, .filters = 5, .size = {4, 5}},
    {.name = "RowBlocks",
     .channels = 45,
     .filters = 7,
     .size = {4, 5},
     .cells = 2,
     .rows = 16},
    {.name = "ManyColumns",
     .channels = 9,
     .filters = 150,
     .size = {4, 5},
     .cells = 2,
     .split = Split::Magnitude},
    {.name = "Strides",
     .channels = 3,
     .filters = 4,
     .size = {9, 8},
     .kernel = {3, 2},
     .strides = {2, 3}},
    {.name = "AsymmetricPads",
     .channels = 2,
     .filters = 3,
     .size = {5, 4},
     .kernel = {3, 3},
     .pads = {2, 0, 1, 2}},
    {.name = "StridesLeaveARest",
     .channels = 2,
     .filters = 3,
     .size = {8, 7},
     .kernel = {2, 2},
     .strides = {3, 2},
     .pads = {0, 1, 0, 0}},
    {.name = "Dilations",
     .channels = 2,
     .filters = 3,
     .size = {8, 9},
     .kernel = {3, 2},
     .strides = {1, 2},
     .dilations = {2, 3},
     .pads = {1, 2, 3, 0},
     .cells = 3,
     .split = Split::Equal,
     .rows = 8},
    {.name = "OneWindow",
     .channels = 3,
     .filters = 3,
     .size = {3, 2},
     .kernel = {3, 2},
     .strides = {7, 9}},
    {.name = "Rows",
     .channels = 3,
     .filters = 4,
     .size = {1, 12},
     .kernel = {1, 4},
     .strides = {1, 2},
     .pads = {0, 2, 0, 3}},
    {.name = "Groups",
     .channels = 6,
     .filters = 9,
     .size = {5, 6},
     .kernel = {2, 3},
     .strides = {2, 1},
     .pads = {1, 1, 0, 2},
     .groups = 3,
     .cells = 3,
     .split = Split::Magnitude},
    {.name = "GroupsInSeveralBlocks",
     .channels = 12,
     .filters = 8,
     .size = {4, 5},
     .kernel = {2, 2},
     .groups = 4,
     .cells = 2,
     .rows = 30},
    {.name = "Depthwise",
     .channels = 6,
     .filters = 6,
     .size = {5, 6},
     .kernel = {3, 3},
     .pads = {1, 1, 1, 1},
     .groups = 6,
     .cells = 2},
    {.name = "DepthwiseInSeveralBlocks",
     .channels = 7,
     .filters = 7,
     .size = {6, 5},
     .kernel = {3, 2},
     .strides = {2, 1},
     .dilations = {1, 2},
     .pads = {0, 2, 1, 0},
     .groups = 7,
     .cells = 3,
     .split = Split::Equal,
     .rows = 20},
    {.name = "DepthwiseOfSeveralOutputs",
     .channels = 4,
     .filters = 12,
     .size = {5, 5},
     .kernel = {3, 2},
     .pads = {1, 0, 0, 1},
     .groups = 4,
     .cells = 2},
    {.name = "OneOutputOfSeveralChannels",
     .channels = 8,
     .filters = 4,
     .size = {4, 4},
     .kernel = {2, 2},
     .groups = 4},
    {.name = "Residual",
     .channels = 20,
     .filters = 6,
     .size = {4, 5},
     .cells = 3,
     .split = Split::Residual,
     .rows = 12},
    {.name = "ManyLevels",
     .channels = 20,
     .filters = 6,
     .size = {4, 5},
     .cells = 2,
     .cellLimit = 3},
    {.name = "SevenPlanes",
     .channels = 20,
     .filters = 6,
     .size = {3, 3},
     .cells = 7,
     .split = Split::Magnitude},
    {.name = "MidRise",
     .channels = 30,
     .filters = 6,
     .size = {4, 5},
     .cells = 2,
     .rows = 16,
     .rounding = "mid-rise"},
    {.name = "Floor",
     .channels = 3,
     .filters = 6,
     .size = {4, 4},
     .kernel = {2, 2},
     .cells = 2,
     .rounding = "floor"},
    {.name = "FloorOfIntegers",
     .channels = 4,
     .filters = 6,
     .size = {4, 5},
     .rounding = "floor",
     .gain = 1},
    {.name = "MidRiseOfIntegers",
     .channels = 4,
     .filters = 6,
     .size = {4, 5},
     .rounding = "mid-rise",
     .gain = 0.25},
    {.name = "Ties", .channels = 4, .filters = 9, .size = {4, 5}, .gain = 0.5},
    {.name = "Shared",
     .channels = 3,
     .filters = 5,
     .size = {6, 7},
     .kernel = {3, 3},
     .pads = {1, 0, 1, 2},
     .cells = 2,
     .layers = 2},
    {.name = "SharedGroups",
     .channels = 6,
     .filters = 4,
     .size = {6, 7},
     .kernel = {3, 2},
     .groups = 2,
     .cells = 2,
     .split = Split::Equal,
     .layers = 2},
    {.name = "SharedDepthwise",
     .channels = 5,
     .filters = 5,
     .size = {6, 7},
     .kernel = {3, 2},
     .groups = 5,
     .layers = 2},
};

static const Shape fixedShapes[] = {
    {.name = "Unary",
     .channels = 12,
     .filters = 5,
     .cells = 2,
     .split = Split::Unary},
    {.name = "ArriveQuantised", .channels = 12, .filters = 5, .isTuned = false},
    {.name = "SharedWithOneThatArrivesQuantised",
     .channels = 3,
     .filters = 4,
     .size = {5, 5},
     .layers = 2,
     .isTuned = false},
    {.name = "GroupsInParts",
     .channels = 40,
     .filters = 4,
     .groups = 2,
     .rows = 16},
};

INSTANTIATE_TEST_SUITE_P(Shapes, FixedCells, testing::ValuesIn(fixedShapes),
                         [](const auto &info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Shapes, RealCells, testing::ValuesIn(shapes),
                         [](const auto &info) { return info.param.name; });
