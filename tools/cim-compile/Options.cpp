// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The command line of cim-compile.
#include "Options.h"
#include "cim/Dialect/CIM/Transforms/CellsPerLayer.h"
#include "cim/Version.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/WithColor.h"
#include <cmath>

using namespace cim;
using llvm::StringRef;
namespace cl = llvm::cl;

static cl::OptionCategory category("Compilation");

static cl::opt<std::string> model(cl::Positional, cl::Required,
                                  cl::desc("MODEL.onnx"), cl::cat(category));
static cl::opt<std::string>
    output("o", cl::value_desc("file"), cl::init("-"),
           cl::desc("Output file; '-' is standard output (text only)"),
           cl::cat(category));
static cl::opt<std::string>
    target("target", cl::value_desc("name|file.yaml"), cl::init("imec-ania"),
           cl::desc("Chip to compile for, default imec-ania; 'host' compiles "
                    "everything digitally in float"),
           cl::cat(category));
static cl::opt<std::string> calibration(
    "calibration", cl::value_desc("file.npy|file.npz"),
    cl::desc("Sample inputs that set activation ranges, ADC gains and "
             "corrections; first axis = samples"),
    cl::cat(category));
static cl::opt<RangeMethod>
    range("range", cl::desc("How an activation's range follows from samples:"),
          cl::init(RangeMethod::MSE), cl::cat(category), rangeMethodNames());
static cl::opt<GainMethod>
    adcRange("adc-range",
             cl::desc("How the gain of converters follows from samples:"),
             cl::init(GainMethod::MSE), cl::cat(category), gainMethodNames());
static cl::opt<double>
    adcPercentile("adc-percentile", cl::value_desc("P"), cl::init(99.9),
                  cl::desc("Percentage of the sums for --adc-range=percentile, "
                           "default 99.9"),
                  cl::cat(category));
static cl::opt<bool> classes(
    "classes",
    cl::desc("Outputs are logits of classes, the channels of the layers that "
             "make them: converters\nare set for the probabilities "
             "softmax(output), not for the least error of logits.\nWhere a "
             "Softmax node follows this is known"),
    cl::cat(category));
static cl::opt<Tuning> tune(
    "tune", cl::ValueOptional, cl::init(Tuning::None), cl::cat(category),
    cl::desc("At the end bring the outputs on the calibration samples nearer "
             "to those of the float\nnetwork; takes as long as all else or "
             "longer. Moves:"),
    cl::values(clEnumValN(Tuning::Scales, "scales",
                          "scale and bias of every channel"),
               clEnumValN(Tuning::Scales, "", "the same"),
               clEnumValN(Tuning::Cells, "cells",
                          "then the cells as well: minutes, worth it with one "
                          "cell per weight")));
static cl::opt<std::string> cells("cells", cl::value_desc("N|node=N,..,*=N"),
                                  cl::init("2"),
                                  cl::desc("Cells per weight, default 2"),
                                  cl::cat(category));
static cl::list<std::string>
    digital("digital", cl::value_desc("node,.."), cl::CommaSeparated,
            cl::desc("Layers that stay digital, in float, by node name (see "
                     "--check). Often the first layer\nis worth it; the last "
                     "one on arrays makes up for errors before it, in float "
                     "not"),
            cl::cat(category));
static cl::opt<std::string> accuracyDrop(
    "accuracy-drop", cl::value_desc("percent|NdB"),
    cl::desc("Choose the fewest cells per weight of each layer that lose at "
             "most so much\non the last quarter of the calibration samples, "
             "which is held back:\npoints of top-1 with --labels; else percent "
             "of the samples, classified differently\nfrom the float network; "
             "or, of networks that do not classify, percent of the\noutputs' "
             "energy that is error. 20dB: outputs have at least 100 times the "
             "energy\nof their error"),
    cl::cat(category));
static cl::opt<std::string>
    labels("labels", cl::value_desc("file.npy"),
           cl::desc("The class of every calibration sample, integers, for "
                    "--accuracy-drop"),
           cl::cat(category));
static cl::opt<Split> split("split",
                            cl::desc("How a weight becomes several cells:"),
                            cl::init(Split::Auto), cl::cat(category),
                            splitNames());
static cl::opt<Phase>
    emit("emit", cl::desc("Stop here and write it:"),
         cl::init(Phase::SharedObject), cl::cat(category),
         cl::values(clEnumValN(Phase::NN, "nn", "the imported network"),
                    clEnumValN(Phase::Quant, "quant", "the quantised network"),
                    clEnumValN(Phase::CIM, "cim", "matrices split and tiled"),
                    clEnumValN(Phase::Program, "program",
                               "arrays, layers and streams"),
                    clEnumValN(Phase::LLVM, "llvm",
                               "the host program in MLIR's LLVM dialect"),
                    clEnumValN(Phase::Object, "obj", "an object file"),
                    clEnumValN(Phase::SharedObject, "so",
                               "what cim-run runs (default)")));
enum class Goal { Latency, Throughput, Energy };
static cl::opt<Goal> optimize(
    "optimize",
    cl::desc("What to map for; this version maps every weight once, which is "
             "the mapping of least energy, so all goals agree:"),
    cl::init(Goal::Energy), cl::cat(category),
    cl::values(clEnumValN(Goal::Latency, "latency", "time of one sample"),
               clEnumValN(Goal::Throughput, "throughput", "samples a second"),
               clEnumValN(Goal::Energy, "energy", "energy of one sample")));
static cl::opt<int64_t> arrays(
    "arrays", cl::value_desc("N"), cl::init(0),
    cl::desc("Arrays to use at most, default: as many as the target has"),
    cl::cat(category));
static cl::opt<std::string> report("report",
                                   cl::value_desc("file.json|file.html"),
                                   cl::desc("Write what was mapped where"),
                                   cl::cat(category));
static cl::list<std::string>
    shapes("shape", cl::value_desc("NAME=1x3x32x32"),
           cl::desc("Shape of an input; binds symbolic dimensions. The first "
                    "dimension is the number of samples per call"),
           cl::cat(category));
static cl::opt<bool>
    check("check",
          cl::desc("Only say what would run on crossbars and what digitally, "
                   "and whether the network is supported; writes nothing"),
          cl::cat(category));
static cl::opt<bool>
    quiet("quiet", cl::desc("Print no remarks about what stays digital"),
          cl::cat(category));
static cl::opt<std::string> remarks("remarks", cl::value_desc("file.yaml"),
                                    cl::desc("Write all remarks as YAML"),
                                    cl::cat(category));

static const char overview[] =
    "cim-compile: lower a neural network onto analog compute-in-memory arrays\n"
    "\n"
    "  cim-compile net.onnx -o net.so --calibration=samples.npy\n"
    "      for the imec AnIA chip, two ternary cells per weight\n"
    "  cim-compile net.onnx -o net.so --calibration=samples.npy "
    "--cells=conv1=4,*=1\n"
    "      four cells per weight in node conv1, one elsewhere\n"
    "  cim-compile net.onnx -o net.so --calibration=samples.npy "
    "--digital=conv1\n"
    "      node conv1 in float, everything else on arrays\n"
    "  cim-compile net.onnx -o net.so --calibration=samples.npy "
    "--accuracy-drop=0.5 \\\n"
    "      --labels=labels.npy --report=net.html\n"
    "      as few cells as lose half a point of top-1 at most; the report says "
    "what was tried\n"
    "  cim-compile net.onnx -o net.so --target=host\n"
    "      everything digital, in float: the reference\n"
    "  cim-compile net.onnx --check\n"
    "      say what would run on crossbars, and what is not supported\n"
    "  cim-compile net.onnx --emit=cim --calibration=samples.npy\n"
    "      print matrices and their mapping as MLIR\n"
    "\n"
    "Run the result with cim-run. --help-hidden lists MLIR's own options, such "
    "as\n"
    "--mlir-timing and --mlir-print-ir-after-all. Exit codes: 0 done, 1 the "
    "input is wrong,\n"
    "2 wrong usage.\n";

/// Reports wrong usage.
static bool usageError(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "cim-compile") << message << "\n";
  return false;
}

/// A file that is named has a name, and an output must not take the place of an
/// input or of another output.
static bool checkFiles() {
  std::pair<StringRef, const cl::opt<std::string> *> files[] = {
      {"the network", &model}, {"--calibration", &calibration},
      {"--target", &target},   {"--labels", &labels},
      {"-o", &output},         {"--report", &report},
      {"--remarks", &remarks}};
  for (auto [option, file] : files)
    if (file->getNumOccurrences() && file->empty())
      return usageError(option + " expects the name of a file");
  constexpr size_t firstOutput = 4;
  for (size_t i = firstOutput; i < std::size(files); ++i)
    for (size_t j = 0; j < i; ++j) {
      const std::string &a = *files[i].second, &b = *files[j].second;
      if (a.empty() || b.empty() || a == "-")
        continue;
      if (a == b || llvm::sys::fs::equivalent(a, b))
        return usageError(files[i].first + " and " + files[j].first +
                          " name the same file, '" + a + "'");
    }
  return true;
}

/// Reads --accuracy-drop and --labels.
static bool readAccuracyGoal(CompileOptions &options) {
  if (!accuracyDrop.getNumOccurrences())
    return labels.empty() || usageError("--labels expects --accuracy-drop");
  PrecisionGoal goal;
  goal.labels = labels;
  StringRef number = accuracyDrop;
  goal.byEnergy = number.consume_back("dB");
  // Written so that NaN is refused, too.
  if (number.getAsDouble(goal.drop) || !(goal.drop >= 0 && goal.drop < 100))
    return usageError("--accuracy-drop expects percent from 0 to less than "
                      "100, or as many dB, but got '" +
                      accuracyDrop + "'");
  if (goal.byEnergy)
    goal.drop = 100 * std::pow(10, -goal.drop / 10);
  if (goal.byEnergy && !labels.empty())
    return usageError("--labels expects --accuracy-drop in percent");
  if (calibration.empty())
    return usageError("--accuracy-drop expects --calibration");
  if (cells.getNumOccurrences())
    return usageError("--accuracy-drop chooses the cells, expected no --cells");
  if (split == Split::Residual)
    return usageError("--accuracy-drop expects another --split than residual");
  if (options.emit == Phase::NN)
    return usageError("--accuracy-drop expects another stage than "
                      "--emit=nn or --check");
  options.precision = goal;
  return true;
}

bool cim::parseOptions(int argc, char **argv, ParsedOptions &parsed) {
  mlir::registerMLIRContextCLOptions();
  mlir::registerPassManagerCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter(printVersion);
  std::string complaint;
  llvm::raw_string_ostream complaints(complaint);
  if (!cl::ParseCommandLineOptions(argc, argv, overview, &complaints)) {
    llvm::errs() << complaint;
    return false;
  }

  CompileOptions &options = parsed.compile;
  options.model = model;
  options.output = output;
  options.emit = check ? Phase::NN : emit;
  options.check = check;
  options.report = report;
  options.phases.target = target;
  options.phases.calibration = calibration;
  options.phases.range = range;
  options.phases.adcRange = adcRange;
  options.phases.adcPercentile = adcPercentile;
  options.phases.classes = classes;
  options.phases.cells = cells;
  options.digital.assign(digital.begin(), digital.end());
  options.tuning = tune;
  options.phases.split = split;
  options.phases.arrays = arrays;
  for (const std::string &shape : shapes)
    if (std::optional<std::string> wrong =
            addShapeOption(options.import, shape))
      return usageError(*wrong);
  if (!checkFiles())
    return false;
  if (check && (output.getNumOccurrences() || emit.getNumOccurrences() ||
                report.getNumOccurrences()))
    return usageError("--check writes nothing, expected no -o, --emit or "
                      "--report");
  bool binary =
      options.emit == Phase::Object || options.emit == Phase::SharedObject;
  if (binary && output == "-")
    return usageError("give the output a name with -o FILE");
  if (std::optional<std::string> wrong = CellsPerLayer::check(cells))
    return usageError("--cells: " + *wrong);
  if (!readAccuracyGoal(options))
    return false;
  if (tune != Tuning::None && calibration.empty())
    return usageError("--tune expects --calibration");
  if (tune != Tuning::None && options.emit < Phase::CIM)
    return usageError("--tune expects --emit=cim or a later stage");
  if (!(adcPercentile > 0 && adcPercentile <= 100))
    return usageError(llvm::formatv(
        "--adc-percentile expects a percentage above 0 and up to 100, but got "
        "{0}",
        llvm::format("%g", double(adcPercentile))));
  if (adcPercentile.getNumOccurrences() && adcRange != GainMethod::Percentile)
    return usageError("--adc-percentile expects --adc-range=percentile");
  if (llvm::is_contained(digital, ""))
    return usageError("--digital expects names of nodes");
  if (arrays < 0)
    return usageError("--arrays expects a number of at least 0");
  // Linking runs lld in this process, which resets every option to its default.
  parsed.quiet = quiet;
  parsed.remarks = remarks;
  return true;
}
