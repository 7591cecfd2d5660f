// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A pool of threads that share a counter of tasks. Idle threads sleep (two
// busy processors are worth more than a fast wake-up).
#ifndef CIM_RUNTIME_SUPPORT_THREADPOOL_H
#define CIM_RUNTIME_SUPPORT_THREADPOOL_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace cim::rt {

class ThreadPool {
public:
  /// Starts `threads` threads; with 1, tasks run on the caller's thread.
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  unsigned size() const { return threadCount; }

  /// Calls task(index, worker) once for every index below `count`, in no
  /// particular order unless the pool has one thread; worker < size(). Returns
  /// when all calls have. One caller at a time; `task` must not throw.
  void run(uint64_t count, const std::function<void(uint64_t, unsigned)> &task);

private:
  void work(unsigned worker);
  void stop();

  unsigned threadCount;
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::condition_variable wake, done;
  const std::function<void(uint64_t, unsigned)> *current = nullptr;
  uint64_t total = 0;
  std::atomic<uint64_t> next{0};
  uint64_t generation = 0;
  unsigned running = 0;
  bool stopping = false;
};

} // namespace cim::rt

#endif // CIM_RUNTIME_SUPPORT_THREADPOOL_H
