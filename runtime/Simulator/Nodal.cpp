// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Nodal.h. Unknowns are the voltages of both wires at every device, less
// those of ideal wires; the matrix is symmetric and positive definite.

#include "Simulator/Nodal.h"

#include <algorithm>
#include <cmath>

using namespace cim::sim;

using Vector = std::vector<double>;

namespace {
/// The system of one crossbar. Row wires come first, then column wires, both
/// stored as [rows][columns].
class System {
public:
  explicit System(const Crossbar &c)
      : c(c), cells(size_t(c.rows) * c.columns),
        rowWire(1 / std::max(c.rowResistance, least)),
        columnWire(1 / std::max(c.columnResistance, least)) {}

  size_t size() const { return 2 * cells; }

  /// What the devices draw from ideal wires. The unknowns are what the wires
  /// lose of that, so that stiff wires do not drown the devices.
  Vector drive() const {
    Vector b(size());
    for (size_t n = 0; n < cells; ++n) {
      double current = c.conductance[n] * c.voltage[n / c.columns];
      b[n] = -current;
      b[cells + n] = current;
    }
    return b;
  }

  void apply(const Vector &v, Vector &out) const {
    for (uint32_t i = 0; i < c.rows; ++i)
      for (uint32_t j = 0; j < c.columns; ++j) {
        size_t r = size_t(i) * c.columns + j, k = cells + r;
        double device = c.conductance[r] * (v[r] - v[k]);
        double sum = rowWire * (v[r] - (j ? v[r - 1] : 0)) + device;
        if (j + 1 < c.columns)
          sum += rowWire * (v[r] - v[r + 1]);
        out[r] = sum;
        double below = i + 1 < c.rows ? v[k + c.columns] : 0;
        sum = columnWire * (v[k] - below) - device;
        if (i)
          sum += columnWire * (v[k] - v[k - c.columns]);
        out[k] = sum;
      }
  }

  /// Solves with the couplings between wires left out.
  void precondition(const Vector &b, Vector &x) {
    for (uint32_t i = 0; i < c.rows; ++i)
      solveWire(b, x, size_t(i) * c.columns, 1, c.columns, rowWire, true);
    for (uint32_t j = 0; j < c.columns; ++j)
      solveWire(b, x, cells + j, c.columns, c.rows, columnWire, false);
  }

  double columnCurrent(const Vector &v, uint32_t j) const {
    return columnWire * v[cells + size_t(c.rows - 1) * c.columns + j];
  }

private:
  /// Thomas' algorithm along one wire, which is tied down at its first or last
  /// device.
  void solveWire(const Vector &b, Vector &x, size_t at, size_t step,
                 uint32_t count, double wire, bool tiedFirst) {
    upper.resize(count);
    double before = 0; // upper[m - 1]
    for (uint32_t m = 0; m < count; ++m) {
      size_t n = at + m * step;
      bool tied = tiedFirst ? m == 0 : m + 1 == count;
      double diagonal =
          c.conductance[n % cells] + wire * ((m > 0) + tied + (m + 1 < count));
      double pivot = diagonal + (m ? wire * before : 0);
      upper[m] = before = -wire / pivot;
      x[n] = (b[n] + (m ? wire * x[n - step] : 0)) / pivot;
    }
    for (uint32_t m = count - 1; m-- > 0;)
      x[at + m * step] -= upper[m] * x[at + (m + 1) * step];
  }

  /// A wire without resistance would make the system infinite.
  static constexpr double least = 1e-9;

  const Crossbar &c;
  size_t cells;
  double rowWire, columnWire; // conductance of a segment
  Vector upper;
};
} // namespace

static double dot(const Vector &a, const Vector &b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += a[i] * b[i];
  return sum;
}

CrossbarSolution cim::sim::solveCrossbar(const Crossbar &crossbar) {
  System system(crossbar);
  Vector residual = system.drive();
  double enough = 1e-13 * std::sqrt(dot(residual, residual));
  Vector v(system.size(), 0.0), z(v), product(v);
  system.precondition(residual, z);
  Vector direction = z;
  double energy = dot(residual, z);
  CrossbarSolution solution;
  constexpr uint32_t most = 100000;
  while (std::sqrt(dot(residual, residual)) > enough &&
         solution.iterations++ < most) {
    system.apply(direction, product);
    double step = energy / dot(direction, product);
    for (size_t i = 0; i < v.size(); ++i) {
      v[i] += step * direction[i];
      residual[i] -= step * product[i];
    }
    system.precondition(residual, z);
    double next = dot(residual, z);
    for (size_t i = 0; i < v.size(); ++i)
      direction[i] = z[i] + next / energy * direction[i];
    energy = next;
  }
  size_t cells = v.size() / 2;
  for (size_t n = 0; n < cells; ++n)
    solution.row.push_back(crossbar.voltage[n / crossbar.columns] + v[n]);
  solution.column.assign(v.begin() + cells, v.end());
  for (uint32_t j = 0; j < crossbar.columns; ++j)
    solution.currents.push_back(system.columnCurrent(v, j));
  return solution;
}
