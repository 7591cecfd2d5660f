// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pictures of the report: floorplans and shares.
#include "ReportHtml.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace cim;
using namespace cim::report;
using llvm::formatv;
using llvm::raw_ostream;

std::string cim::report::colour(size_t layer, int64_t plane) {
  // Hues a golden angle apart stay distinct for any number of layers;
  // neighbours differ in lightness, too.
  double hue = std::fmod(212 + 137.508 * double(layer), 360);
  int64_t lightness = (layer % 2 ? 46 : 56) + 9 * (plane % 4);
  return formatv("hsl({0:f0},58%,{1}%)", hue, lightness);
}

//===----------------------------------------------------------------------===//
// Floorplans
//===----------------------------------------------------------------------===//

static void writeBlock(raw_ostream &os, const Program &program, size_t index,
                       const Rectangle &block, double letter) {
  const Layer &layer = program.layers[index];
  os << formatv("<g><title>{0}: plane {1}\nmatrix rows {2}..{3}, columns "
                "{4}..{5}\narray rows {6}..{7}, columns {8}..{9}\ngain ",
                escaped(layer.node), block.plane, block.matrixRow,
                block.matrixRow + block.matrixRows - 1, block.matrixColumn,
                block.matrixColumn + block.columns - 1, block.row,
                block.row + block.rows - 1, block.column,
                block.column + block.columns - 1)
     << llvm::format("%.4g", double(block.gain)) << "</title>";
  os << formatv("<rect x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{3}\" "
                "fill=\"{4}\"/>",
                block.column, block.row, block.columns, block.rows,
                colour(index, block.plane));
  std::string label = std::to_string(index + 1);
  if (double(block.columns) > letter * (0.3 + 0.62 * double(label.size())) &&
      double(block.rows) > letter)
    os << formatv("<text x=\"{0}\" y=\"{1}\" font-size=\"{2}\">{3}</text>",
                  double(block.column) + double(block.columns) / 2,
                  double(block.row) + double(block.rows) / 2 + letter * 0.36,
                  letter, label);
  os << "</g>\n";
}

void cim::report::writeFloorplans(raw_ostream &os, const Program &program,
                                  const Arch &arch) {
  double rows = double(arch.arrayRows()), columns = double(arch.arrayColumns());
  std::vector<std::vector<std::pair<size_t, const Rectangle *>>> onArray(
      program.arrays.size());
  for (auto [index, layer] : llvm::enumerate(program.layers))
    for (const Rectangle &block : layer.blocks)
      onArray[block.array].push_back({index, &block});
  os << "<div class=\"arrays" << (program.arrays.size() < 4 ? " few" : "")
     << "\">\n";
  for (auto [index, blocks] : llvm::enumerate(onArray)) {
    os << formatv("<figure><svg class=\"array\" viewBox=\"0 0 {0} {1}\" "
                  "role=\"img\" aria-label=\"array {2}\">\n",
                  arch.arrayColumns(), arch.arrayRows(), index);
    os << formatv("<rect class=\"cells\" width=\"{0}\" height=\"{1}\"/>\n",
                  arch.arrayColumns(), arch.arrayRows());
    for (auto [layer, block] : blocks)
      writeBlock(os, program, layer, *block, rows / 30);
    os << formatv("</svg><figcaption>array {0}<br><b>{1}</b> used"
                  "</figcaption></figure>\n",
                  index, percent(program.arrays[index].cells / rows / columns));
  }
  os << "</div>\n";
}

//===----------------------------------------------------------------------===//
// Shares
//===----------------------------------------------------------------------===//

static void writeShare(raw_ostream &os, const Program &program,
                       llvm::StringRef what, llvm::StringRef unit,
                       llvm::function_ref<double(const Layer &)> value) {
  double total = 0;
  for (const Layer &layer : program.layers)
    total += value(layer);
  if (!(total > 0))
    return;
  os << formatv("<div class=\"share\"><span>{0}</span><svg viewBox=\"0 0 1000 "
                "30\" preserveAspectRatio=\"none\" role=\"img\" "
                "aria-label=\"{0} per layer\">\n",
                what);
  double x = 0;
  for (auto [index, layer] : llvm::enumerate(program.layers)) {
    double width = 1000 * value(layer) / total;
    os << formatv("<rect x=\"{0:f2}\" width=\"{1:f2}\" height=\"30\" "
                  "fill=\"{2}\"><title>{3}: {4} ({5})</title></rect>\n",
                  x, width, colour(index), escaped(layer.node),
                  si(value(layer), unit), percent(width / 1000));
    x += width;
  }
  os << formatv("</svg><span>{0}</span></div>\n", si(total, unit));
}

void cim::report::writeShares(raw_ostream &os, const Program &program) {
  writeShare(os, program, "MVMs", "",
             [](const Layer &layer) { return layer.mvms; });
  if (program.joules())
    writeShare(os, program, "energy", "J",
               [](const Layer &layer) { return *layer.joules; });
  writeShare(os, program, "time", "s",
             [](const Layer &layer) { return layer.seconds; });
  writeShare(os, program, "cells", "",
             [](const Layer &layer) { return layer.cells; });
}
