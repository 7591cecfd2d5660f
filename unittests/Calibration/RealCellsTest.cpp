// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs whose cells are parameters, against the matrices they stand for and
// against docs/Numerics.md.
#include "CellsReference.h"
#include "Descent.h"
#include "MappedRun.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"

using namespace mlir;
using namespace cim;
using namespace cim::test;

namespace {

struct Program {
  OwningOpRef<ModuleOp> module; // outlives the model
  ModelRunner model;
  bool hasGradients;
};

class TunedCells : public CellsFixture {
protected:
  void SetUp() override {
    CellsFixture::SetUp();
    FailureOr<TunedNetwork> found =
        collectTuned(*module, *arch, /*withCells=*/true);
    ASSERT_TRUE(succeeded(found));
    network = std::move(*found);
    for (int64_t i = 0; i < network.countTables(); ++i)
      data.tables.push_back(random.uniform(-0.3, 0.3));
    int64_t pixels = batch * shape.size[0] * shape.size[1];
    for (int64_t i = 0; i < pixels * shape.channels; ++i)
      data.input.push_back(random.integer(-63, 63));
    for (int64_t layer = 0; layer < shape.layers; ++layer) {
      int64_t windows =
          batch * shape.outSize(0, layer) * shape.outSize(1, layer);
      for (int64_t i = 0; i < windows * shape.filters; ++i)
        data.targets[layer].push_back(float(random.uniform(-50, 50)));
    }
  }

  /// Compiles the tuning program of the module as it is.
  std::unique_ptr<Program> compile(bool withCells, bool gradients) {
    auto compiled = std::make_unique<Program>();
    compiled->module = module->clone();
    compiled->hasGradients = gradients;
    std::vector<TunedOutput> outputs;
    for (int64_t layer = 0; layer < shape.layers; ++layer)
      outputs.push_back(describeOutput(*module, layer, /*classes=*/false));
    EXPECT_TRUE(succeeded(buildTuningProgram(*compiled->module, *arch, outputs,
                                             gradients, withCells)));
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
    std::vector<float> input;
    for (int64_t q : data.input)
      input.push_back(float(double(q) * inputUnit));
    SmallVector<TuningInput> inputs;
    auto add = [&](const std::vector<float> &values) {
      inputs.push_back({reinterpret_cast<const char *>(values.data()),
                        int64_t(values.size() * sizeof(float)) / batch});
    };
    add(input);
    for (int64_t layer = 0; layer < shape.layers; ++layer)
      add(data.targets[layer]);
    std::vector<double> parameters = data.tables;
    llvm::append_range(parameters, cells);
    std::vector<double> gradient(parameters.size());
    ParametricNetwork parametric(std::move(*runner), inputs,
                                 network.listParameters(!cells.empty()),
                                 program.hasGradients);
    FailureOr<ArrayRef<float>> losses =
        parametric.run({0, 1}, parameters, gradient);
    EXPECT_TRUE(succeeded(losses));
    auto middle = gradient.begin() + data.tables.size();
    return {(*losses)[0] + (*losses)[1],
            {gradient.begin(), middle},
            {middle, gradient.end()}};
  }

  static void expectNear(ArrayRef<double> found, ArrayRef<double> wanted) {
    ASSERT_EQ(found.size(), wanted.size());
    double largest = 0, furthest = 0;
    for (auto [is, should] : llvm::zip_equal(found, wanted)) {
      largest = std::max(largest, std::abs(should));
      furthest = std::max(furthest, std::abs(is - should));
    }
    EXPECT_LT(furthest / largest, 1e-5);
  }

  TunedNetwork network;
  CellsData data;
};

class RealCells : public TunedCells {};
class CellsBehindOthers : public TunedCells {};
class FixedCells : public CellsFixture {};

} // namespace

TEST_P(RealCells, MultiplyAsDocumented) {
  ASSERT_EQ(network.matrices.size(), 1u);
  ASSERT_EQ(network.countTables(), shape.layers * 2 * shape.filters);
  int64_t size = shape.matrixRows() * shape.filters / shape.groups;
  ASSERT_EQ(network.countCells(), network.matrices[0].planes * size);
  auto program = compile(/*withCells=*/true, /*gradients=*/true);
  std::vector<double> cells;
  for (int64_t i = 0; i < network.countCells(); ++i)
    cells.push_back(float(random.uniform(-shape.cellLimit, shape.cellLimit)));
  Outcome found = run(*program, cells);
  Outcome wanted = CellsReference(shape, network, data, cells).compute();
  EXPECT_NEAR(found.loss / wanted.loss, 1, 1e-5);
  expectNear(found.tables, wanted.tables);
  expectNear(found.cells, wanted.cells);

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
  double whole =
      run(*compile(/*withCells=*/false, /*gradients=*/false), {}).loss;
  EXPECT_NEAR(run(*program, cells).loss / whole, 1, 1e-6);
}

// What layers before them should do is what it is for a matrix of integers,
// whose gradient has tests of its own, if nothing is clipped.
TEST_P(CellsBehindOthers, HandGradientsOn) {
  ASSERT_EQ(network.matrices.size(), 2u);
  std::vector<double> cells = network.matrices[0].cells;
  llvm::append_range(cells, network.matrices[1].cells);
  auto real = compile(/*withCells=*/true, /*gradients=*/true);
  auto whole = compile(/*withCells=*/false, /*gradients=*/true);
  Outcome found = run(*real, cells), wanted = run(*whole, {});
  EXPECT_NEAR(found.loss / wanted.loss, 1, 1e-6);
  ArrayRef<double> own(found.tables), other(wanted.tables);
  expectNear(own.take_front(2 * shape.channels),
             other.take_front(2 * shape.channels));
  expectNear(own, other);
}

TEST_P(FixedCells, AreNoParameters) {
  FailureOr<TunedNetwork> found =
      collectTuned(*module, *arch, /*withCells=*/true);
  ASSERT_TRUE(succeeded(found));
  EXPECT_TRUE(found->matrices.empty());
}

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

static const Shape laterShapes[] = {
    {.name = "Convolution",
     .channels = 3,
     .filters = 4,
     .size = {6, 7},
     .kernel = {3, 2},
     .strides = {2, 1},
     .dilations = {1, 2},
     .pads = {1, 0, 0, 2},
     .cells = 2,
     .gain = 0.05f,
     .hasFirst = true},
    {.name = "Groups",
     .channels = 6,
     .filters = 4,
     .size = {6, 5},
     .kernel = {2, 3},
     .pads = {0, 2, 1, 0},
     .groups = 2,
     .gain = 0.05f,
     .layers = 2,
     .hasFirst = true},
    {.name = "Depthwise",
     .channels = 5,
     .filters = 5,
     .size = {6, 7},
     .kernel = {3, 2},
     .strides = {1, 2},
     .pads = {2, 1, 0, 1},
     .groups = 5,
     .cells = 2,
     .split = Split::Equal,
     .gain = 0.05f,
     .hasFirst = true},
};

static const Shape fixedShapes[] = {
    {.name = "Unary",
     .channels = 12,
     .filters = 5,
     .cells = 2,
     .split = Split::Unary},
    {.name = "Residual",
     .channels = 12,
     .filters = 5,
     .cells = 2,
     .split = Split::Residual},
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

INSTANTIATE_TEST_SUITE_P(Shapes, CellsBehindOthers,
                         testing::ValuesIn(laterShapes),
                         [](const auto &info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Shapes, FixedCells, testing::ValuesIn(fixedShapes),
                         [](const auto &info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Shapes, RealCells, testing::ValuesIn(shapes),
                         [](const auto &info) { return info.param.name; });
