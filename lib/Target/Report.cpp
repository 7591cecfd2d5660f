// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The report as JSON, and the choice of its format.
#include "cim/Target/Report.h"
#include "ProgramSummary.h"
#include "ReportHtml.h"
#include "cim/Target/OutputFile.h"
#include "cim/Version.h"
#include "llvm/Support/Path.h"
#include <cmath>

using namespace mlir;
using namespace cim;
using namespace cim::report;
namespace json = llvm::json;

/// Names come from network files and may be any bytes.
static std::string text(StringRef name) { return json::fixUTF8(name); }

static json::Object describeTarget(const Arch &arch) {
  json::Object target{{"name", text(arch.name())},
                      {"description", text(arch.description())},
                      {"projection", arch.isProjection()}};
  if (!arch.isHost()) {
    target["rows"] = arch.arrayRows();
    target["columns"] = arch.arrayColumns();
  }
  return target;
}

static json::Object describeMapping(const Program &program, const Arch &arch) {
  json::Object mapping{{"arrays", int64_t(program.arrays.size())},
                       {"cells_used", program.cells},
                       {"mvms_per_image", program.mvms},
                       {"macs_per_image", program.macs()}};
  if (program.arrays.empty() || arch.isHost())
    return mapping;
  double cells = double(arch.arrayRows()) * double(arch.arrayColumns());
  double arrays = double(program.arrays.size());
  mapping["cell_utilisation"] = program.utilisation;
  mapping["area_lower_bound_arrays"] = std::ceil(program.cells / cells);
  mapping["cost_assumptions"] = costAssumptions;
  mapping["latency_per_image_s"] = program.seconds();
  if (std::optional<double> joules = program.joules()) {
    mapping["energy_per_image_j"] = *joules;
    if (*joules > 0)
      mapping["ops_per_joule"] = 2 * program.macs() / *joules;
  }
  if (std::optional<double> area = cost::arrayArea(arch))
    mapping["area_mm2"] = arrays * *area;
  return mapping;
}

static json::Object describeBlock(const Rectangle &block) {
  return json::Object{{"array", block.array},
                      {"row", block.row},
                      {"column", block.column},
                      {"rows", block.rows},
                      {"columns", block.columns},
                      {"plane", block.plane},
                      {"matrix_row", block.matrixRow},
                      {"matrix_column", block.matrixColumn},
                      {"gain", block.gain}};
}

static json::Object describeLayer(const Layer &layer) {
  json::Array blocks;
  for (const Rectangle &block : layer.blocks)
    blocks.push_back(describeBlock(block));
  json::Object object{
      {"name", text(layer.symbol)},
      {"node", text(layer.node)},
      {"matrix", json::Array{layer.matrixRows, layer.matrixColumns}},
      {"groups", layer.groups},
      {"windows_per_image", layer.windows},
      {"cells_per_weight", layer.cellsPerWeight},
      {"cells_used", layer.cells},
      {"blocks", std::move(blocks)},
      {"mvms_per_image", layer.mvms},
      {"macs_per_image", layer.macs},
      {"utilisation", layer.utilisation},
      {"latency_per_image_s", layer.seconds}};
  if (layer.joules)
    object["energy_per_image_j"] = *layer.joules;
  return object;
}

static json::Object describe(const Program &program, const Arch &arch) {
  json::Array layers, arrays, digital;
  for (const Layer &layer : program.layers)
    layers.push_back(describeLayer(layer));
  for (auto [index, array] : llvm::enumerate(program.arrays))
    arrays.push_back(json::Object{{"index", int64_t(index)},
                                  {"blocks", array.blocks},
                                  {"used_cells", array.cells}});
  for (const DigitalOp &op : program.digital) {
    json::Object object{{"name", text(op.node)}, {"op", text(op.op)}};
    if (!op.reason.empty())
      object["reason"] = text(op.reason);
    digital.push_back(std::move(object));
  }
  return json::Object{{"model", text(program.model)},
                      {"compiler", CIM_VERSION_STRING},
                      {"target", describeTarget(arch)},
                      {"mapping", describeMapping(program, arch)},
                      {"layers", std::move(layers)},
                      {"arrays", std::move(arrays)},
                      {"digital", std::move(digital)}};
}

FailureOr<json::Value> cim::makeReport(ModuleOp program, const Arch &arch) {
  FailureOr<Program> summary = summarise(program, arch);
  if (failed(summary))
    return failure();
  return json::Value(describe(*summary, arch));
}

llvm::Error cim::checkReportPath(StringRef path) {
  StringRef extension = llvm::sys::path::extension(path);
  if (extension == ".json" || extension == ".html")
    return llvm::Error::success();
  return llvm::createStringError("expected a report file that ends in '.json' "
                                 "or '.html', but got '" +
                                 path + "'");
}

LogicalResult cim::writeReport(ModuleOp program, const Arch &arch,
                               StringRef path,
                               const std::optional<json::Object> &precision) {
  if (llvm::Error error = checkReportPath(path))
    return program.emitError(llvm::toString(std::move(error)));
  FailureOr<Program> summary = summarise(program, arch);
  if (failed(summary))
    return failure();
  bool html = llvm::sys::path::extension(path) == ".html";
  json::Object object = describe(*summary, arch);
  if (precision)
    object["precision"] = json::Object(*precision);
  llvm::Error error = writeOutputFile(path, [&](llvm::raw_ostream &os) {
    if (html)
      writeHtml(os, *summary, arch, precision);
    else
      os << llvm::formatv("{0:2}\n", json::Value(std::move(object)));
    return llvm::Error::success();
  });
  if (error)
    return program.emitError(llvm::toString(std::move(error)));
  return success();
}
