// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The exact currents of a crossbar with resistive wires (Simulator/Nodal.h),
// for comparisons with other solvers and with the fitted model of IR drop.

#include "Npy/Npy.h"
#include "Simulator/Nodal.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace cim;

static const char *const usage =
    "usage: cim-crossbar G.npy V.npy ROW_OHM COLUMN_OHM I.npy\n"
    "G: conductances in siemens, [rows][columns]; V: volts at the left ends of "
    "the rows, [rows];\nI: amperes into the grounds below the columns, "
    "[columns], float64. ROW_OHM and COLUMN_OHM:\none segment of a wire, "
    "between "
    "neighbouring devices, before the first and behind the last.\n";

static int fail(const std::string &error) {
  fprintf(stderr, "cim-crossbar: error: %s\n", error.c_str());
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fputs(usage, stderr);
    return 2;
  }
  std::string error;
  auto g = npy::read(argv[1], error);
  auto v = g ? npy::read(argv[2], error) : std::nullopt;
  if (!v)
    return fail(error);
  sim::Crossbar crossbar;
  if (g->shape.size() != 2 || v->shape.size() != 1 ||
      g->shape[0] != v->shape[0] || g->shape[0] < 1 || g->shape[1] < 1 ||
      g->elementCount() > 1 << 24)
    return fail(
        "expected G of shape (rows, columns), at most 2^24 devices, and "
        "V of shape (rows,), found " +
        npy::shapeText(g->shape) + " and " + npy::shapeText(v->shape));
  crossbar.rows = uint32_t(g->shape[0]);
  crossbar.columns = uint32_t(g->shape[1]);
  for (int64_t i = 0; i < g->elementCount(); ++i)
    crossbar.conductance.push_back(g->value(i));
  for (int64_t i = 0; i < v->elementCount(); ++i)
    crossbar.voltage.push_back(v->value(i));
  crossbar.rowResistance = strtod(argv[3], nullptr);
  crossbar.columnResistance = strtod(argv[4], nullptr);
  for (double x : crossbar.conductance)
    if (!(x >= 0) || std::isinf(x))
      return fail("a conductance is negative or not finite");
  auto start = std::chrono::steady_clock::now();
  sim::CrossbarSolution solution = sim::solveCrossbar(crossbar);
  std::chrono::duration<double, std::milli> took =
      std::chrono::steady_clock::now() - start;
  printf("%u x %u: %u iterations, %.1f ms\n", crossbar.rows, crossbar.columns,
         solution.iterations, took.count());
  std::vector<int64_t> shape = {int64_t(crossbar.columns)};
  if (!npy::write(argv[5], npy::Type::F64, shape, solution.currents.data(),
                  error))
    return fail(error);
  return 0;
}
