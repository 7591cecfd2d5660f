// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The report as one self-contained page: text and tables.
#include "ReportHtml.h"
#include "cim/Version.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace cim;
using namespace cim::report;
namespace json = llvm::json;
using llvm::formatv;
using llvm::raw_ostream;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

std::string cim::report::escaped(StringRef text) {
  std::string valid = llvm::json::fixUTF8(text), result;
  for (char &c : valid)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = ' ';
  llvm::raw_string_ostream os(result);
  llvm::printHTMLEscaped(valid, os);
  return result;
}

std::string cim::report::si(double value, StringRef unit) {
  if (unit.empty() && value < 1e5 && value == std::floor(value))
    return std::to_string(int64_t(value));
  static const char *const prefixes[] = {"a", "f", "p", "n", "&micro;", "m", "",
                                         "k", "M", "G", "T", "P",       "E"};
  int power = value == 0 ? 0 : int(std::floor(std::log10(value) / 3));
  power = std::clamp(power, unit.empty() ? 0 : -6, 6);
  double scaled = value / std::pow(10, 3 * power);
  int digits = scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  std::string suffix = (prefixes[power + 6] + unit).str();
  std::string number = llvm::formatv(digits == 0   ? "{0:f0}"
                                     : digits == 1 ? "{0:f1}"
                                                   : "{0:f2}",
                                     scaled);
  return suffix.empty() ? number : number + "&nbsp;" + suffix;
}

std::string cim::report::percent(double share) {
  return formatv("{0:f1}&nbsp;%", 100 * share);
}

static const char style[] = R"css(
:root { --ink: #1d2430; --soft: #667085; --line: #e3e7ee; --card: #fff; --page: #f6f7f9; --cell: #eceff4; --accent: #2463c5; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --soft: #98a2b3; --line: #2d3440; --card: #1b2029; --page: #12151b; --cell: #272d38; --accent: #7fb0ff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 2rem 1.5rem 3rem; color: var(--ink); background: var(--page);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 1.7rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .7rem; }
p { margin: .3rem 0 1rem; color: var(--soft); max-width: 56rem; }
.badge { display: inline-block; padding: .05rem .55rem; border: 1px solid; border-radius: 1rem; color: #b45309; font-size: .8rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.6rem, 1fr)); gap: .7rem; margin: 1.2rem 0 0; }
.cards div, .panel { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .9rem; }
.cards dt { color: var(--soft); font-size: .8rem; }
.cards dd { margin: 0; font-size: 1.3rem; font-weight: 600; white-space: nowrap; }
.share { display: grid; grid-template-columns: 4.2rem 1fr 6rem; gap: .7rem; align-items: center; margin: .45rem 0; }
.share span:last-child { text-align: right; font-weight: 600; }
.share svg { width: 100%; height: 1.5rem; border-radius: .3rem; }
.share rect { stroke: var(--card); stroke-width: 1; vector-effect: non-scaling-stroke; }
.arrays { display: flex; flex-wrap: wrap; gap: 1.1rem; }
figure { margin: 0; }
figcaption { color: var(--soft); font-size: .8rem; margin-top: .25rem; }
figcaption b { color: var(--ink); }
svg.array { display: block; height: 19rem; max-width: 100%; border: 1px solid var(--line); border-radius: .3rem; }
.few svg.array { height: 34rem; }
.array .cells { fill: var(--cell); }
.array g rect { stroke: var(--card); stroke-width: 1; vector-effect: non-scaling-stroke; }
.array g:hover rect { stroke: var(--ink); stroke-width: 2; }
.array text { fill: #fff; font-weight: 600; text-anchor: middle; pointer-events: none; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-size: .8rem; color: var(--soft); font-weight: 500; }
th, td { padding: .32rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
.n { text-align: right; white-space: nowrap; }
td.name { max-width: 22rem; overflow-wrap: anywhere; }
i { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; margin-right: .5rem; vertical-align: -.08rem; }
.meter { display: inline-block; width: 4.5rem; height: .5rem; margin-left: .5rem; border-radius: .25rem; background: var(--cell); overflow: hidden; }
.meter span { display: block; height: 100%; background: var(--accent); }
)css";

//===----------------------------------------------------------------------===//
// Sections
//===----------------------------------------------------------------------===//

static void writeCard(raw_ostream &os, StringRef what, StringRef value) {
  os << "<div><dt>" << what << "</dt><dd>" << value << "</dd></div>\n";
}

static void writeHeadline(raw_ostream &os, const Program &program,
                          const Arch &arch) {
  os << "<h1>" << escaped(program.model.empty() ? "network" : program.model)
     << "</h1>\n<p>compiled for <b>" << escaped(arch.name())
     << "</b>: " << escaped(arch.description());
  if (arch.isProjection())
    os << " <span class=\"badge\">projection, no such chip exists</span>";
  os << "</p>\n<dl class=\"cards\">\n";
  double arrays = double(program.arrays.size());
  writeCard(os, "arrays", si(arrays));
  if (arrays > 0 && !arch.isHost()) {
    double cells = double(arch.arrayRows()) * double(arch.arrayColumns());
    writeCard(os, "cells used", si(program.cells));
    writeCard(os, "cell utilisation", percent(program.utilisation));
    writeCard(os, "arrays at least", si(std::ceil(program.cells / cells)));
    writeCard(os, "MVMs per image", si(program.mvms));
    writeCard(os, "MACs per image", si(program.macs()));
    writeCard(os, "time per image", si(program.seconds(), "s"));
    if (std::optional<double> joules = program.joules()) {
      writeCard(os, "energy per image", si(*joules, "J"));
      if (*joules > 0)
        writeCard(os, "efficiency", si(2 * program.macs() / *joules, "OP/s/W"));
    }
    if (std::optional<double> area = cost::arrayArea(arch))
      writeCard(os, "area of arrays",
                formatv("{0:f2}&nbsp;mm&sup2;", arrays * *area).str());
  }
  writeCard(os, "digital operations", si(double(program.digital.size())));
  os << "</dl>\n";
}

static void writeLayerRow(raw_ostream &os, size_t index, const Layer &layer,
                          bool energy) {
  os << "<tr><td class=\"n\">" << index + 1 << "</td><td class=\"name\"><i "
     << "style=\"background:" << colour(index) << "\"></i><bdi>"
     << escaped(layer.node) << "</bdi></td><td class=\"n\">" << layer.matrixRows
     << " &times; " << layer.matrixColumns;
  if (layer.groups > 1)
    os << " (" << layer.groups << " groups)";
  for (double count :
       {double(layer.cellsPerWeight), double(layer.blocks.size()),
        layer.windows, layer.mvms, layer.macs})
    os << "</td><td class=\"n\">" << si(count);
  if (energy)
    os << "</td><td class=\"n\">" << si(layer.joules.value_or(0), "J");
  os << "</td><td class=\"n\">" << percent(layer.utilisation)
     << formatv("<span class=\"meter\"><span style=\"width:{0:f1}%\"></span>"
                "</span></td></tr>\n",
                100 * layer.utilisation);
}

static void writeLayers(raw_ostream &os, const Program &program) {
  bool energy = program.joules().has_value();
  os << "<h2>Layers</h2>\n<p>An MVM is one activation of one array for one "
        "window; its blocks are read at the same time. Utilisation is the "
        "share of an array's cells that a mean MVM of the layer uses.</p>\n"
        "<div class=\"panel scroll\"><table>\n<tr><th class=\"n\">#</th>"
        "<th>node</th>";
  for (StringRef title :
       {"matrix", "cells per weight", "blocks", "windows", "MVMs", "MACs"})
    os << "<th class=\"n\">" << title << "</th>";
  os << (energy ? "<th class=\"n\">energy</th>" : "")
     << "<th class=\"n\">utilisation</th></tr>\n";
  for (auto [index, layer] : llvm::enumerate(program.layers))
    writeLayerRow(os, index, layer, energy);
  os << "</table></div>\n";
}

/// Ops that could have had an array one by one with the reason, the others by
/// kind.
static void writeDigital(raw_ostream &os, const Program &program) {
  os << "<h2>What stays digital</h2>\n";
  if (program.digital.empty()) {
    os << "<p>Nothing.</p>\n";
    return;
  }
  llvm::MapVector<StringRef, std::vector<const DigitalOp *>> kinds;
  os << "<div class=\"panel scroll\"><table>\n<tr><th>operation</th>"
        "<th>node</th><th>why</th></tr>\n";
  for (const DigitalOp &op : program.digital) {
    if (op.reason.empty())
      kinds[op.op].push_back(&op);
    else
      os << "<tr><td>" << escaped(op.op) << "</td><td class=\"name\"><bdi>"
         << escaped(op.node) << "</bdi></td><td>" << escaped(op.reason)
         << "</td></tr>\n";
  }
  for (const auto &[kind, nodes] : kinds) {
    os << "<tr><td>" << escaped(kind) << "</td><td class=\"name\"><details>"
       << "<summary>" << nodes.size() << "</summary>";
    llvm::interleaveComma(nodes, os, [&](const DigitalOp *op) {
      os << "<bdi>" << escaped(op->node) << "</bdi>";
    });
    os << "</details></td><td>"
       << (nodes[0]->offersMatrix ? "" : "has no weights to put on an array")
       << "</td></tr>\n";
  }
  os << "</table></div>\n";
}

/// What a percent of the drop is.
static StringRef explainMeasure(StringRef measure) {
  return llvm::StringSwitch<StringRef>(measure)
      .Case("labels", "points of top-1 accuracy below the float network")
      .Case("agreement", "samples that are classified differently from float")
      .Default("energy of the error over that of the float outputs");
}

/// What was tried, in this order.
static void writeTrials(raw_ostream &os, const json::Array &trials) {
  os << "<p>Trials, in their order:</p>\n"
        "<div class=\"panel scroll\"><table>\n<tr>"
        "<th class=\"n\">cells of weights</th>"
        "<th class=\"n\">digital layers</th><th class=\"n\">drop, %</th>"
        "</tr>\n";
  for (const json::Value &value : trials) {
    const json::Object &trial = *value.getAsObject();
    std::optional<double> drop = trial.getNumber("drop");
    os << "<tr><td class=\"n\">" << *trial.getInteger("cells")
       << "</td><td class=\"n\">" << *trial.getInteger("digital_layers")
       << "</td><td class=\"n\">";
    if (drop)
      os << llvm::format("%.3g", *drop);
    else
      os << "not finite";
    os << "</td></tr>\n";
  }
  os << "</table></div>\n";
}

/// How cells per weight were chosen: the tables that choosePrecision makes.
static void writePrecision(raw_ostream &os, const json::Object &precision) {
  os << "<h2>Precision</h2>\n<p>"
     << formatv("{0:f2}", *precision.getNumber("mean_cells_per_weight"))
     << " cells per weight on average, chosen for a drop of at most "
     << llvm::format("%.3g", *precision.getNumber("bound")) << " %; it is "
     << llvm::format("%.3g", *precision.getNumber("drop")) << " % ("
     << explainMeasure(*precision.getString("measure")) << ") on "
     << *precision.getInteger("held_samples")
     << " samples that were held back, where calibration saw "
     << *precision.getInteger("calibration_samples")
     << " others. A loss is the share of a layer's variance that is missed "
        "when all layers have 1, 2, .. cells per weight.</p>\n"
        "<div class=\"panel scroll\"><table>\n<tr><th>node</th>"
        "<th class=\"n\">weights</th><th class=\"n\">cells per weight</th>"
        "<th>loss with 1, 2, .. cells</th></tr>\n";
  for (const json::Value &value : *precision.getArray("layers")) {
    const json::Object &layer = *value.getAsObject();
    int64_t count = *layer.getInteger("cells_per_weight");
    os << "<tr><td class=\"name\"><bdi>" << escaped(*layer.getString("node"))
       << "</bdi></td><td class=\"n\">" << *layer.getInteger("weights")
       << "</td><td class=\"n\">" << (count ? std::to_string(count) : "digital")
       << "</td><td>";
    llvm::interleaveComma(*layer.getArray("loss"), os,
                          [&](const json::Value &loss) {
                            os << llvm::formatv("{0:f4}", *loss.getAsNumber());
                          });
    os << "</td></tr>\n";
  }
  os << "</table></div>\n";
  writeTrials(os, *precision.getArray("trials"));
}

void cim::report::writeHtml(raw_ostream &os, const Program &program,
                            const Arch &arch,
                            const std::optional<json::Object> &precision) {
  std::string title =
      escaped(program.model.empty() ? "network" : program.model);
  os << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>"
     << title << " on " << escaped(arch.name()) << "</title>\n<style>" << style
     << "</style></head><body>\n";
  writeHeadline(os, program, arch);
  if (!program.layers.empty()) {
    os << "<h2>Where the work goes</h2>\n<div class=\"panel\">\n";
    writeShares(os, program);
    os << "</div>\n<h2>Floorplan</h2>\n<p>Every array has " << arch.arrayRows()
       << " rows and " << arch.arrayColumns()
       << " columns; numbers are those of the layers below, lighter shades "
          "are further planes of a weight.</p>\n<div class=\"panel\">\n";
    writeFloorplans(os, program, arch);
    os << "</div>\n";
    writeLayers(os, program);
  }
  if (precision)
    writePrecision(os, *precision);
  writeDigital(os, program);
  os << "<p style=\"margin-top:2rem\">Energy and time: " << costAssumptions
     << ".<br>" << CIM_VERSION_STRING << "</p>\n</body></html>\n";
}
