"""Hard tasks of the suite "cpp", second part."""
from bisect import insort

from cpp_suite import Draw, ints, line, row_of, rows, task, with_count

draw = Draw(302)


@task("full-rucksack", 2, r"""
int main() {
  int n, room;
  cin >> n >> room;
  vector<long long> best(room + 1);
  while (n--) {
    int weight, count;
    long long value;
    cin >> weight >> value >> count;
    count = min(count, room / weight);
    for (int part = 1; count > 0; part *= 2) {
      int take = min(part, count);
      count -= take;
      int w = take * weight;
      long long v = take * value;
      for (int r = room; r >= w; --r) best[r] = max(best[r], best[r - w] + v);
    }
  }
  cout << best[room] << "\n";
}""", r"""
int main() {
  int n, room;
  cin >> n >> room;
  vector<long long> best(room + 1);
  while (n--) {
    int weight, count;
    long long value;
    cin >> weight >> value >> count;
    for (int r = room; r > 0; --r)
      for (int k = 1; k <= count && k * weight <= r; ++k) best[r] = max(best[r], best[r - k * weight] + k * value);
  }
  cout << best[room] << "\n";
}""", ["3 10\n3 40 2\n4 50 1\n5 10 9\n", "1 5\n6 100 1\n", "1 100000\n1 1000000000 100000\n", "2 7\n2 3 3\n7 9 1\n", "1 1\n1 1 1\n", "3 12\n5 9 1\n4 8 2\n3 5 9\n",
       "30 500\n" + "".join(f"{draw(1, 60)} {draw(1, 99)} {draw(1, 9)}\n" for _ in range(30)), ["100 100000\n", rows(100, [1, 4], [1, 10**9], [1, 100000], seed=2)],
       ["100 99991\n", rows(100, [1, 90], [1, 10**9], [300, 2000], seed=3)], "2 9\n4 7 100000\n9 14 1\n"], time=1)
def full_rucksack(text):
    """There are things of n kinds, of each kind a limited number. Things may be put into a rucksack as long as their
    weights add up to no more than it bears. What is the largest total value?

    Input: n (1 to 100) and what the rucksack bears (1 to 100000); then for each kind weight (1 to 100000), value (1 to
    10^9) and number (1 to 100000).
    Output: this value."""
    n, room, *rest = ints(text)
    best = [0] * (room + 1)
    for weight, value, count in zip(rest[::3], rest[1::3], rest[2::3]):
        count = min(count, room // weight)
        if count == room // weight:  # as many as fit
            for r in range(weight, room + 1):
                if best[r - weight] + value > best[r]:
                    best[r] = best[r - weight] + value
            continue
        after = best[:]
        for start in range(min(weight, room + 1)):  # the largest of a sliding window, for each remainder
            window, at = [], 0
            for k, r in enumerate(range(start, room + 1, weight)):
                worth = best[r] - k * value
                while len(window) > at and window[-1][1] <= worth:
                    window.pop()
                window.append((k, worth))
                if window[at][0] < k - count:
                    at += 1
                after[r] = window[at][1] + k * value
        best = after
    return best[room]


@task("shift-plan", 2, r"""
int main() {
  int n;
  cin >> n;
  vector<vector<int>> cost(n, vector<int>(n));
  for (auto& row : cost)
    for (int& c : row) cin >> c;
  vector<int> least(1 << n, INT_MAX);
  least[0] = 0;
  for (int done = 0; done + 1 < 1 << n; ++done) {
    if (least[done] == INT_MAX) continue;
    int who = __builtin_popcount(done);
    for (int shift = 0; shift < n; ++shift)
      if (!(done >> shift & 1) && cost[who][shift] >= 0)
        least[done | 1 << shift] = min(least[done | 1 << shift], least[done] + cost[who][shift]);
  }
  if (least.back() == INT_MAX)
    cout << "impossible\n";
  else
    cout << least.back() << "\n";
}""", r"""
int n, best = INT_MAX;
vector<vector<int>> cost;
vector<char> taken;
void place(int who, int sum) {
  if (sum >= best) return;
  if (who == n) {
    best = sum;
    return;
  }
  for (int shift = 0; shift < n; ++shift)
    if (!taken[shift] && cost[who][shift] >= 0) {
      taken[shift] = 1;
      place(who + 1, sum + cost[who][shift]);
      taken[shift] = 0;
    }
}
int main() {
  cin >> n;
  cost.assign(n, vector<int>(n));
  taken.assign(n, 0);
  for (auto& row : cost)
    for (int& c : row) cin >> c;
  place(0, 0);
  if (best == INT_MAX)
    cout << "impossible\n";
  else
    cout << best << "\n";
}""", ["3\n5 1 9\n2 3 4\n8 -1 7\n", "1\n0\n", "1\n-1\n", "2\n-1 4\n-1 5\n", "2\n1 100\n1 2\n", "2\n3 -1\n-1 1000000\n",
       "6\n" + "".join(line(draw.list(6, -1, 20)) + "\n" for _ in range(6)),
       "18\n" + "".join(line(draw.list(18, 400, 500)) + "\n" for _ in range(18)),
       "18\n" + "".join(line([draw.pick([-1, 1000000, 999999 - i]) for i in range(18)]) + "\n" for _ in range(18)),
       "18\n" + (line([7] * 17 + [-1]) + "\n") * 18], time=1)
def shift_plan(text):
    """n people have to work n shifts, one each. It is known what each person wants for each shift; -1 means that this
    cannot be. What is the smallest total?

    Input: n (1 to 18), then for each person n whole numbers from -1 to 1000000.
    Output: the total, or impossible."""
    n, *cost = ints(text)
    none, big = 10**12, 10**9
    a = [[c if c >= 0 else big for c in cost[i * n:(i + 1) * n]] for i in range(n)]
    # The Hungarian method with potentials.
    u, v, partner, way = [0] * (n + 1), [0] * (n + 1), [0] * (n + 1), [0] * (n + 1)
    for i in range(1, n + 1):
        partner[0], j0 = i, 0
        least, used = [none] * (n + 1), [False] * (n + 1)
        while True:
            used[j0], i0, delta, j1 = True, partner[j0], none, 0
            for j in range(1, n + 1):
                if used[j]:
                    continue
                reduced = a[i0 - 1][j - 1] - u[i0] - v[j]
                if reduced < least[j]:
                    least[j], way[j] = reduced, j0
                if least[j] < delta:
                    delta, j1 = least[j], j
            for j in range(n + 1):
                if used[j]:
                    u[partner[j]] += delta
                    v[j] -= delta
                else:
                    least[j] -= delta
            j0 = j1
            if partner[j0] == 0:
                break
        while j0:
            partner[j0] = partner[way[j0]]
            j0 = way[j0]
    total = sum(a[partner[j] - 1][j - 1] for j in range(1, n + 1))
    return total if total < big else "impossible"


@task("round-trips", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, m;
  cin >> n >> m;
  vector<vector<int>> out(n + 1);
  while (m--) {
    int a, b;
    cin >> a >> b;
    out[a].push_back(b);
  }
  vector<int> number(n + 1), low(n + 1), open, path;
  vector<size_t> next(n + 1);
  vector<char> is_open(n + 1);
  int count = 0, groups = 0;
  size_t largest = 0;
  for (int start = 1; start <= n; ++start) {
    if (number[start]) continue;
    path.push_back(start);
    while (!path.empty()) {
      int a = path.back();
      if (!number[a]) {
        number[a] = low[a] = ++count;
        open.push_back(a);
        is_open[a] = 1;
      }
      if (next[a] < out[a].size()) {
        int b = out[a][next[a]++];
        if (!number[b])
          path.push_back(b);
        else if (is_open[b])
          low[a] = min(low[a], number[b]);
        continue;
      }
      path.pop_back();
      if (!path.empty()) low[path.back()] = min(low[path.back()], low[a]);
      if (low[a] != number[a]) continue;
      ++groups;
      size_t size = 0;
      for (int b = 0; b != a; ++size) {
        b = open.back();
        open.pop_back();
        is_open[b] = 0;
      }
      largest = max(largest, size);
    }
  }
  cout << groups << " " << largest << "\n";
}""", ("        else if (is_open[b])\n", "        else\n"),
      ["5 5\n1 2\n2 3\n3 1\n3 4\n4 5\n", "1 0\n", "1 1\n1 1\n", "3 2\n2 1\n3 1\n", "4 4\n1 2\n2 1\n3 4\n4 3\n", "3 3\n1 2\n2 3\n1 3\n",
       ["400 600\n", rows(600, [1, 400], [1, 400])], ["100000 100000\n", rows(99999, [1, 1, 1, 1], [2, 2, 1, 1]), "100000 1\n"],
       ["100000 200000\n", rows(200000, [1, 100000], [1, 100000], seed=4)], ["100000 99999\n", rows(99999, [2, 2, 1, 1], [1, 1, 1, 1])]], time=2, slow=r"""
vector<char> reached(const vector<vector<int>>& next, int start) {
  vector<char> seen(next.size());
  vector<int> todo = {start};
  seen[start] = 1;
  while (!todo.empty()) {
    int a = todo.back();
    todo.pop_back();
    for (int b : next[a])
      if (!seen[b]) {
        seen[b] = 1;
        todo.push_back(b);
      }
  }
  return seen;
}
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, m;
  cin >> n >> m;
  vector<vector<int>> out(n + 1), in(n + 1);
  while (m--) {
    int a, b;
    cin >> a >> b;
    out[a].push_back(b);
    in[b].push_back(a);
  }
  vector<char> grouped(n + 1);
  int groups = 0, largest = 0;
  for (int start = 1; start <= n; ++start) {
    if (grouped[start]) continue;
    vector<char> there = reached(out, start), back = reached(in, start);
    int size = 0;
    for (int b = 1; b <= n; ++b)
      if (there[b] && back[b]) {
        grouped[b] = 1;
        ++size;
      }
    ++groups;
    largest = max(largest, size);
  }
  cout << groups << " " << largest << "\n";
}""")
def round_trips(text):
    """Towns are connected by buses that go in one direction only. Two towns belong together if one can get from each to
    the other, changing as often as needed; a town always belongs together with itself. How many groups are there, and
    how many towns has the largest?

    Input: n (1 to 100000) and the number of buses (0 to 200000), then the buses as pairs: from, to.
    Output: both numbers."""
    n, m, *pairs = ints(text)
    out, back = [[] for _ in range(n + 1)], [[] for _ in range(n + 1)]
    for a, b in zip(pairs[::2], pairs[1::2]):
        out[a].append(b)
        back[b].append(a)
    order, seen = [], [False] * (n + 1)
    for start in range(1, n + 1):  # Kosaraju
        if seen[start]:
            continue
        seen[start], stack = True, [(start, iter(out[start]))]
        while stack:
            a, rest = stack[-1]
            b = next((b for b in rest if not seen[b]), None)
            if b is None:
                order.append(a)
                stack.pop()
            else:
                seen[b] = True
                stack.append((b, iter(out[b])))
    groups = largest = 0
    for start in reversed(order):
        if not seen[start]:
            continue
        seen[start], todo, size = False, [start], 0
        while todo:
            size += 1
            for b in back[todo.pop()]:
                if seen[b]:
                    seen[b] = False
                    todo.append(b)
        groups, largest = groups + 1, max(largest, size)
    return f"{groups} {largest}"


@task("nearest-stars", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<pair<long long, long long>> p(n);
  for (auto& [x, y] : p) cin >> x >> y;
  sort(p.begin(), p.end());
  set<pair<long long, long long>> near;  // y, x
  long long best = LLONG_MAX;
  size_t left = 0;
  for (auto [x, y] : p) {
    while (left < p.size() && (x - p[left].first) * (x - p[left].first) >= best) {
      near.erase({p[left].second, p[left].first});
      ++left;
    }
    long long reach = 1;
    if (best == LLONG_MAX)
      reach = 4000000000;
    else
      while (reach * reach < best) reach *= 2;
    for (auto at = near.lower_bound({y - reach, LLONG_MIN}); at != near.end() && at->first <= y + reach; ++at)
      best = min(best, (x - at->second) * (x - at->second) + (y - at->first) * (y - at->first));
    if (!near.insert({y, x}).second) best = 0;
    if (best == 0) break;
  }
  cout << best << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<long long> x(n), y(n);
  long long best = LLONG_MAX;
  for (int i = 0; i < n; ++i) {
    cin >> x[i] >> y[i];
    for (int j = 0; j < i; ++j) best = min(best, (x[i] - x[j]) * (x[i] - x[j]) + (y[i] - y[j]) * (y[i] - y[j]));
  }
  cout << best << "\n";
}""", ["4\n0 0\n9 9\n3 4\n5 8\n", "2\n1 1\n1 1\n", "2\n-1000000000 -1000000000\n1000000000 1000000000\n", "3\n0 0\n0 5\n0 9\n", "3\n5 0\n0 0\n9 0\n",
       "5\n-1 0\n100 1\n-3 1\n50 50\n100 3\n", ["1000\n", rows(1000, [-1000, 1000], [-1000, 1000])], ["200000\n", rows(200000, [-10**9, 10**9], [-10**9, 10**9], seed=2)],
       ["200000\n", rows(200000, [7, 7], [0, 0, 3, 3])], ["200000\n", rows(200000, [0, 0, 5, 5], [-10**9, 10**9], seed=3)]], time=1)
def nearest_stars(text):
    """Which two stars on a map are nearest to each other? Give the square of their distance.

    Input: n (2 to 200000), then n points, coordinates from -10^9 to 10^9; some may be equal.
    Output: the smallest squared distance of two of them."""
    numbers = ints(text)[1:]
    points = sorted(zip(numbers[::2], numbers[1::2]))

    def solve(a, b):  # gives the best, and leaves points[a:b] sorted by y
        if b - a <= 3:
            part = points[a:b]
            best = min((((p[0] - q[0])**2 + (p[1] - q[1])**2) for i, p in enumerate(part) for q in part[:i]), default=10**30)
            points[a:b] = sorted(part, key=lambda p: p[1])
            return best
        middle = (a + b) // 2
        at = points[middle][0]
        best = min(solve(a, middle), solve(middle, b))
        points[a:b] = sorted(points[a:b], key=lambda p: p[1])
        strip = []
        for p in points[a:b]:
            if (p[0] - at)**2 >= best:
                continue
            for q in reversed(strip):
                if (p[1] - q[1])**2 >= best:
                    break
                best = min(best, (p[0] - q[0])**2 + (p[1] - q[1])**2)
            strip.append(p)
        return best
    return solve(0, len(points))


@task("biggest-poster", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<long long> h(n + 1);
  for (int i = 0; i < n; ++i) cin >> h[i];
  vector<int> open;
  long long best = 0;
  for (int i = 0; i <= n; ++i) {
    while (!open.empty() && h[open.back()] >= h[i]) {
      long long height = h[open.back()];
      open.pop_back();
      best = max(best, height * (i - (open.empty() ? 0 : open.back() + 1)));
    }
    open.push_back(i);
  }
  cout << best << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<long long> h(n);
  for (auto& x : h) cin >> x;
  long long best = 0;
  for (int i = 0; i < n; ++i) {
    long long low = h[i];
    for (int j = i; j < n; ++j) {
      if (h[j] < low) low = h[j];
      if (low * (j - i + 1) > best) best = low * (j - i + 1);
    }
  }
  cout << best << "\n";
}""", [with_count(x) for x in ([2, 1, 4, 5, 1, 3, 3], [0], [7], [1, 2, 3, 4], [4, 3, 2, 1], [5, 0, 5], [10**9, 10**9])] +
      [["1000\n", *row_of(1000, [0, 100])], ["400000\n", *row_of(400000, [10**9, 10**9])], ["400000\n", *row_of(400000, [1, 1, 1, 1])],
       ["400000\n", *row_of(400000, [0, 10**9], 3)]], time=1)
def biggest_poster(text):
    """A row of houses, each one metre wide, has a flat front without gaps. What is the largest area of a rectangular
    poster on it? The poster hangs upright and must not reach beyond the houses.

    Input: n (1 to 400000), then the heights of the houses in metres, from 0 to 10^9.
    Output: the area in square metres."""
    h = ints(text)[1:]
    alone = [(-x, i) for i, x in enumerate(h)]
    alone.sort()
    size, best = [0] * (len(h) + 2), 0  # of the run of raised houses, kept at both its ends
    for x, i in alone:
        left, right = size[i], size[i + 2]
        whole = left + right + 1
        size[i + 1] = size[i + 1 - left] = size[i + 1 + right] = whole
        best = max(best, -x * whole)
    return best


@task("running-median", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  priority_queue<long long> low;
  priority_queue<long long, vector<long long>, greater<long long>> high;
  long long sum = 0;
  for (int i = 0; i < n; ++i) {
    long long x;
    cin >> x;
    if (low.empty() || x <= low.top())
      low.push(x);
    else
      high.push(x);
    if (low.size() > high.size() + 1) high.push(low.top()), low.pop();
    if (high.size() > low.size()) low.push(high.top()), high.pop();
    sum += low.top();
  }
  cout << sum << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<long long> a;
  long long sum = 0;
  for (int i = 0; i < n; ++i) {
    long long x;
    cin >> x;
    a.push_back(x);
    sort(a.begin(), a.end());
    sum += a[i / 2];
  }
  cout << sum << "\n";
}""", [with_count(x) for x in ([5, 1, 4, 4], [9], [-3, -5], [1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [0, 0, 0], [-10**9, 10**9, 10**9])] +
      [["3001\n", *row_of(3001, [-99, 99])], ["200000\n", *row_of(200000, [-10**9, 10**9], 2)], ["200000\n", *row_of(200000, [200000, 200000, -1, -1])]], time=1)
def running_median(text):
    """Numbers come in one by one. After each of them note the median of all so far: the middle one in order of size, or
    the smaller of the two middle ones. Add up all that was noted.

    Input: n (1 to 200000), then n whole numbers from -10^9 to 10^9.
    Output: the sum."""
    a, total = [], 0
    for x in ints(text)[1:]:
        insort(a, x)
        total += a[(len(a) - 1) // 2]
    return total


@task("unlike-neighbours", 2, r"""
long long memo[20][11][200];
long long count(const string& digits, size_t at, int last, int sum, int k, bool tight, bool started) {
  if (at == digits.size()) return started && sum == 0;
  if (!tight && started && memo[digits.size() - at][last][sum] >= 0) return memo[digits.size() - at][last][sum];
  long long total = 0;
  int most = tight ? digits[at] - '0' : 9;
  for (int d = 0; d <= most; ++d) {
    if (started && d == last) continue;
    bool begins = started || d > 0;
    total += count(digits, at + 1, begins ? d : 10, begins ? (sum + d) % k : 0, k, tight && d == most, begins);
  }
  if (!tight && started) memo[digits.size() - at][last][sum] = total;
  return total;
}
int main() {
  long long a, b;
  int k;
  while (cin >> a >> b >> k) {
    for (auto& x : memo)
      for (auto& y : x)
        for (auto& z : y) z = -1;
    cout << count(to_string(b), 0, 10, 0, k, true, false) - count(to_string(a - 1), 0, 10, 0, k, true, false) << "\n";
  }
}""", r"""
int main() {
  long long a, b;
  int k;
  while (cin >> a >> b >> k) {
    long long total = 0;
    for (long long n = a; n <= b; ++n) {
      int last = 10, sum = 0;
      bool good = true;
      for (long long m = n; m > 0 && good; m /= 10) {
        good = m % 10 != last;
        last = int(m % 10);
        sum += last;
      }
      if (good && sum % k == 0) ++total;
    }
    cout << total << "\n";
  }
}""", ["1 30 5\n100 200 1\n", "1 1 1\n", "11 11 1\n", "10 10 2\n", "1 9 9\n", "1 1000 162\n", "989 1010 7\n", "1 1000000000000000000 1\n",
       "999999999999999999 1000000000000000000 1\n", "123456789 987654321987654321 13\n1 999999999999999999 150\n",
       "".join(f"{(a := draw(1, 3000))} {a + draw(0, 20000)} {draw(1, 30)}\n" for _ in range(30))], time=1)
def unlike_neighbours(text):
    """A number is lively if no two digits next to each other in it are the same and the sum of its digits can be divided
    by k. How many numbers from a to b are lively?

    Input: at most 50 lines with a, b and k, 1 <= a <= b <= 10^18 and 1 <= k <= 200, to the end of the input.
    Output: the number for each line."""
    def below(limit, k):  # lively numbers from 1 to limit − 1
        digits, total = str(limit), 0
        free = [[[0] * k for _ in range(11)] for _ in range(len(digits) + 1)]  # by digits left, last digit, sum
        for last in range(11):
            free[0][last][0] = 1
        for left in range(1, len(digits) + 1):
            for last in range(11):
                for s in range(k):
                    free[left][last][s] = sum(free[left - 1][d][(s + d) % k] for d in range(10) if d != last)
        for length in range(1, len(digits)):
            total += sum(free[length - 1][d][d % k] for d in range(1, 10))
        last, s = 10, 0
        for at, c in enumerate(digits):
            for d in range(1 if at == 0 else 0, int(c)):
                if d != last:
                    total += free[len(digits) - at - 1][d][(s + d) % k]
            if int(c) == last:
                return total
            last, s = int(c), (s + int(c)) % k
        return total
    return "\n".join(str(below(b + 1, k) - below(a, k)) for a, b, k in zip(*[iter(ints(text))] * 3))
