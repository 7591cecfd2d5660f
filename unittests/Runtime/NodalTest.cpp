// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The exact solver of crossbars with resistive wires: closed forms of ladders,
// dense elimination, conservation of current.

#include "Simulator/Nodal.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace cim::sim;

static Crossbar randomCrossbar(uint32_t rows, uint32_t columns, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit(0, 1);
  Crossbar c = {rows, columns, {}, {}, 2.5, 0.8};
  for (uint32_t i = 0; i < rows * columns; ++i)
    c.conductance.push_back(unit(random) < 0.3 ? 0 : 1e-3 * unit(random));
  for (uint32_t i = 0; i < rows; ++i)
    c.voltage.push_back(unit(random) - 0.3);
  return c;
}

TEST(Nodal, OneDevice) {
  Crossbar c = {1, 1, {1e-3}, {0.7}, 30, 40};
  EXPECT_NEAR(solveCrossbar(c).currents[0], 0.7 / (30 + 1000 + 40), 1e-15);
}

// Devices from one row wire to grounds: a ladder with an open end, whose
// voltages are hyperbolic cosines.
TEST(Nodal, RowLadder) {
  constexpr uint32_t n = 200;
  double g = 1e-4, r = 5, theta = std::acosh(1 + r * g / 2);
  Crossbar c = {1, n, std::vector<double>(n, g), {1.0}, r, 0};
  CrossbarSolution s = solveCrossbar(c);
  for (uint32_t j = 0; j < n; ++j)
    EXPECT_NEAR(s.currents[j],
                g * std::cosh((n - j - 0.5) * theta) /
                    std::cosh((n + 0.5) * theta),
                1e-10 * g)
        << j;
}

// Ideal row wires into one column wire: currents pile up towards the ground.
TEST(Nodal, ColumnLadder) {
  constexpr uint32_t n = 150;
  double g = 2e-4, r = 3, theta = std::acosh(1 + r * g / 2);
  Crossbar c = {n, 1, std::vector<double>(n, g), std::vector<double>(n, 0.5),
                0, r};
  // 0.5 V less the same ladder's voltage; the ground is its driven end.
  double last =
      0.5 * (1 - std::cosh((n - 0.5) * theta) / std::cosh((n + 0.5) * theta));
  EXPECT_NEAR(solveCrossbar(c).currents[0], last / r, 1e-9 * last / r);
}

/// The same system as a dense matrix.
static std::vector<double> denseCurrents(const Crossbar &c) {
  size_t cells = size_t(c.rows) * c.columns, n = 2 * cells;
  std::vector<std::vector<double>> a(n, std::vector<double>(n + 1));
  auto join = [&](size_t x, size_t y, double g) {
    a[x][x] += g;
    a[y][y] += g;
    a[x][y] -= g;
    a[y][x] -= g;
  };
  auto tie = [&](size_t x, double voltage, double g) {
    a[x][x] += g;
    a[x][n] += g * voltage;
  };
  for (uint32_t i = 0; i < c.rows; ++i)
    for (uint32_t j = 0; j < c.columns; ++j) {
      size_t r = size_t(i) * c.columns + j;
      join(r, cells + r, c.conductance[r]);
      if (j == 0)
        tie(r, c.voltage[i], 1 / c.rowResistance);
      else
        join(r, r - 1, 1 / c.rowResistance);
      if (i + 1 == c.rows)
        tie(cells + r, 0, 1 / c.columnResistance);
      else
        join(cells + r, cells + r + c.columns, 1 / c.columnResistance);
    }
  for (size_t p = 0; p < n; ++p)
    for (size_t row = 0; row < n; ++row) {
      double factor = row == p ? 0 : a[row][p] / a[p][p];
      for (size_t k = p; factor != 0 && k <= n; ++k)
        a[row][k] -= factor * a[p][k];
    }
  std::vector<double> currents;
  for (uint32_t j = 0; j < c.columns; ++j) {
    size_t x = cells + size_t(c.rows - 1) * c.columns + j;
    currents.push_back(a[x][n] / a[x][x] / c.columnResistance);
  }
  return currents;
}

TEST(Nodal, AgreesWithElimination) {
  for (auto [rows, columns] :
       {std::pair(1, 1), {5, 7}, {9, 4}, {1, 6}, {8, 1}}) {
    Crossbar c = randomCrossbar(rows, columns, 10 * rows + columns);
    std::vector<double> expected = denseCurrents(c);
    CrossbarSolution s = solveCrossbar(c);
    for (int j = 0; j < columns; ++j)
      EXPECT_NEAR(s.currents[j], expected[j], 1e-14) << rows << "x" << columns;
  }
}

TEST(Nodal, CurrentIsConserved) {
  Crossbar c = randomCrossbar(128, 64, 3);
  CrossbarSolution s = solveCrossbar(c);
  double in = 0, out = 0;
  for (uint32_t i = 0; i < c.rows; ++i)
    in += (c.voltage[i] - s.row[size_t(i) * c.columns]) / c.rowResistance;
  for (double current : s.currents)
    out += current;
  EXPECT_NEAR(in, out, 1e-11 * std::abs(out));
  EXPECT_LT(s.iterations, 400u);
}

TEST(Nodal, WiresWithoutResistanceAndEmptyArrays) {
  Crossbar c = randomCrossbar(20, 10, 5);
  c.rowResistance = c.columnResistance = 0;
  CrossbarSolution s = solveCrossbar(c);
  for (uint32_t j = 0; j < 10; ++j) {
    double sum = 0;
    for (uint32_t i = 0; i < 20; ++i)
      sum += c.conductance[i * 10 + j] * c.voltage[i];
    EXPECT_NEAR(s.currents[j], sum, 1e-9 * std::abs(sum));
  }
  c.voltage.assign(20, 0);
  for (double current : solveCrossbar(c).currents)
    EXPECT_EQ(current, 0);
}

// The simulator's fitted model is of pulses: while its row is on, a device
// sees the column's wire. Rows that are all on make it the static circuit; the
// model does not see how the load is spread, which fluctuates by a root.
TEST(Nodal, FittedModelOfIrDrop) {
  std::mt19937 random(8);
  for (auto [n, r] : {std::pair(128, 0.35), {512, 0.35}, {512, 2.5}}) {
    constexpr double g = 5e-6;
    constexpr uint32_t columns = 8;
    Crossbar c = {uint32_t(n), columns, {}, std::vector<double>(n, 0.2), 0, r};
    for (uint32_t i = 0; i < n * columns; ++i)
      c.conductance.push_back(random() % 2 ? g : 0);
    std::vector<double> currents = solveCrossbar(c).currents;
    for (uint32_t j = 0; j < columns; ++j) {
      double sum = 0, drop = 0;
      for (int k = 0; k < n; ++k) {
        double w = c.conductance[k * columns + j] / g;
        sum += w;
        // Row 0 of the model lies at the ground.
        drop += w * (1 - std::pow(1 - double(n - 1 - k) / n, 2));
      }
      double a = n * r * g * sum;
      double lost = (0.05 * a * a * a - 0.2 * a * a + 0.5 * a) * drop / sum;
      EXPECT_NEAR(lost, 1 - currents[j] / (0.2 * g * sum),
                  lost / std::sqrt(n / 2.0))
          << n << " " << r;
    }
  }
}
