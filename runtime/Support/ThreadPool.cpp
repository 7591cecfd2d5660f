// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See ThreadPool.h.

#include "Support/ThreadPool.h"

using cim::rt::ThreadPool;

ThreadPool::ThreadPool(unsigned count) : threadCount(count ? count : 1) {
  if (threadCount == 1)
    return;
  try {
    threads.reserve(threadCount);
    for (unsigned worker = 0; worker < threadCount; ++worker)
      threads.emplace_back([this, worker] { work(worker); });
  } catch (...) {
    // A thread that could not be made must not leave joinable ones behind.
    stop();
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
  }
  wake.notify_all();
  for (std::thread &thread : threads)
    thread.join();
  threads.clear();
}

void ThreadPool::run(uint64_t count,
                     const std::function<void(uint64_t, unsigned)> &task) {
  if (threads.empty()) {
    for (uint64_t index = 0; index < count; ++index)
      task(index, 0);
    return;
  }
  std::unique_lock<std::mutex> lock(mutex);
  current = &task;
  total = count;
  next = 0;
  running = threadCount;
  ++generation;
  wake.notify_all();
  done.wait(lock, [this] { return running == 0; });
}

void ThreadPool::work(unsigned worker) {
  uint64_t seen = 0;
  std::unique_lock<std::mutex> lock(mutex);
  while (true) {
    wake.wait(lock, [&] { return stopping || generation != seen; });
    if (stopping)
      return;
    seen = generation;
    lock.unlock();
    for (uint64_t index; (index = next.fetch_add(1)) < total;)
      (*current)(index, worker);
    lock.lock();
    if (--running == 0)
      done.notify_one();
  }
}
