"""Hard tasks of the suite "cpp", third part."""
from bisect import bisect_left

from cpp_suite import ints, row_of, rows, task, with_count


@task("covered-floor", 2, r"""
vector<long long> ys, covered;
vector<int> layers;
void change(int node, int l, int r, int from, int to, int by) {
  if (to <= l || r <= from) return;
  if (from <= l && r <= to) {
    layers[node] += by;
  } else {
    int middle = (l + r) / 2;
    change(2 * node, l, middle, from, to, by);
    change(2 * node + 1, middle, r, from, to, by);
  }
  covered[node] = layers[node] > 0 ? ys[r] - ys[l] : r - l == 1 ? 0 : covered[2 * node] + covered[2 * node + 1];
}
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<array<long long, 4>> edges;
  for (int i = 0; i < n; ++i) {
    long long x, y, w, h;
    cin >> x >> y >> w >> h;
    edges.push_back({x, 1, y, y + h});
    edges.push_back({x + w, -1, y, y + h});
    ys.push_back(y);
    ys.push_back(y + h);
  }
  sort(ys.begin(), ys.end());
  ys.erase(unique(ys.begin(), ys.end()), ys.end());
  sort(edges.begin(), edges.end());
  covered.resize(4 * ys.size());
  layers.resize(4 * ys.size());
  auto place = [](long long y) { return int(lower_bound(ys.begin(), ys.end(), y) - ys.begin()); };
  long long area = 0, last = edges[0][0];
  for (auto [x, by, from, to] : edges) {
    area += covered[1] * (x - last);
    last = x;
    change(1, 0, (int)ys.size() - 1, place(from), place(to), (int)by);
  }
  cout << area << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<array<long long, 4>> mats(n);
  vector<long long> xs;
  for (auto& [x, y, w, h] : mats) {
    cin >> x >> y >> w >> h;
    xs.push_back(x);
    xs.push_back(x + w);
  }
  sort(xs.begin(), xs.end());
  sort(mats.begin(), mats.end(), [](auto& a, auto& b) { return a[1] < b[1]; });
  long long area = 0;
  for (size_t i = 0; i + 1 < xs.size(); ++i) {
    long long length = 0, end = LLONG_MIN;
    for (auto [x, y, w, h] : mats) {
      if (x > xs[i] || x + w <= xs[i]) continue;
      long long from = max(y, end);
      if (y + h > from) length += y + h - from, end = y + h;
    }
    area += length * (xs[i + 1] - xs[i]);
  }
  cout << area << "\n";
}""", ["3\n0 0 4 3\n2 1 4 3\n10 10 1 1\n", "1\n-5 -5 1 1\n", "2\n0 0 5 5\n0 0 5 5\n", "2\n0 0 2 2\n2 0 2 2\n", "3\n0 0 9 1\n0 0 1 9\n3 0 1 9\n", "2\n0 0 10 10\n4 4 2 2\n",
       "1\n-1000000000 -1000000000 1000000000 1000000000\n", ["300\n", rows(300, [0, 60], [0, 60], [1, 9], [1, 9])],
       ["60000\n", rows(60000, [-10**9, 10**9], [-10**9, 10**9], [1, 5 * 10**7], [1, 5 * 10**7], seed=2)],
       ["60000\n", rows(60000, [0, 0, 2, 2], [0, 0, 3, 3], [10**8, 10**8], [1, 1])]], time=1)
def covered_floor(text):
    """Mats lie on a floor, their edges parallel to the walls; they may overlap. What area do they cover?

    Input: n (1 to 60000), then for each mat x and y of its lower left corner (-10^9 to 10^9), its width and its height (1
    to 10^9), whole numbers.
    Output: the area, which is less than 9 * 10^18."""
    numbers = ints(text)[1:]
    mats = list(zip(*[iter(numbers)] * 4))
    ys = sorted({y for m in mats for y in (m[1], m[1] + m[3])})
    size = 1 << max(1, (len(ys) - 1).bit_length())
    width = [0] * (2 * size)
    for i in range(len(ys) - 1):
        width[size + i] = ys[i + 1] - ys[i]
    for i in range(size - 1, 0, -1):
        width[i] = width[2 * i] + width[2 * i + 1]
    layers, covered = [0] * (2 * size), [0] * (2 * size)

    def pull(i):
        while i:
            covered[i] = width[i] if layers[i] else covered[2 * i] + covered[2 * i + 1] if i < size else 0
            i >>= 1
    edges = sorted(e for x, y, w, h in mats for e in ((x, 1, y, y + h), (x + w, -1, y, y + h)))
    area, last = 0, edges[0][0]
    for x, by, low, high in edges:
        area, last = area + covered[1] * (x - last), x
        a, b = bisect_left(ys, low) + size, bisect_left(ys, high) + size
        first, end = a, b - 1
        while a < b:
            for i in ([a] if a & 1 else []) + ([b - 1] if b & 1 else []):
                layers[i] += by
                covered[i] = width[i] if layers[i] else covered[2 * i] + covered[2 * i + 1] if i < size else 0
            a, b = (a + 1) >> 1, b >> 1
        pull(first)
        pull(end)
    return area


@task("weakest-links", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  const long long kPrime = 1000000007;
  int n;
  cin >> n;
  vector<pair<long long, long long>> open;  // value, how many runs that end here have it as their least
  long long sum = 0, total = 0;
  for (int i = 0; i < n; ++i) {
    long long x, count = 1;
    cin >> x;
    while (!open.empty() && open.back().first >= x) {
      sum -= open.back().first * open.back().second;
      count += open.back().second;
      open.pop_back();
    }
    open.push_back({x, count});
    sum += x * count;
    total = (total + sum) % kPrime;
  }
  cout << total << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<long long> a(n);
  for (auto& x : a) cin >> x;
  long long total = 0;
  for (int i = 0; i < n; ++i) {
    long long low = a[i], sum = 0;
    for (int j = i; j < n; ++j) {
      low = min(low, a[j]);
      sum += low;
    }
    total = (total + sum) % 1000000007;
  }
  cout << total << "\n";
}""", [with_count(x) for x in ([3, 1, 2, 4], [5], [2, 2, 2], [1, 2, 3], [3, 2, 1], [10**9] * 5, [0, 7, 0])] +
      [["2000\n", *row_of(2000, [0, 50])], ["400000\n", *row_of(400000, [10**9, 10**9])], ["400000\n", *row_of(400000, [0, 10**9], 2)],
       ["400000\n", *row_of(400000, [400000, 400000, -1, -1])]], time=1)
def weakest_links(text):
    """A chain is as strong as its weakest link. Cut a chain so that only a run of neighbouring links is left; add up the
    strengths of all chains that can come of it, the whole one included: of 3 1 2 these are 3, 1, 2, 1, 1, 1.

    Input: n (1 to 400000), then the strengths of the links from 0 to 10^9.
    Output: the sum modulo 1000000007."""
    a = ints(text)[1:]
    left, right, stack = [0] * len(a), [0] * len(a), []
    for i, x in enumerate(a):
        while stack and a[stack[-1]] > x:
            last = stack.pop()
            right[last] = i - last
        left[i] = i - stack[-1] if stack else i + 1
        stack.append(i)
    for i in stack:
        right[i] = len(a) - i
    return sum(x * l * r for x, l, r in zip(a, left, right)) % 1000000007


@task("quiet-party", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<long long> fun(n + 1);
  vector<int> boss(n + 1);
  for (int i = 1; i <= n; ++i) cin >> fun[i];
  for (int i = 2; i <= n; ++i) cin >> boss[i];
  vector<long long> with(n + 1), without(n + 1);
  for (int i = n; i >= 1; --i) {
    with[i] += fun[i];
    with[boss[i]] += without[i];
    without[boss[i]] += max(with[i], without[i]);
  }
  cout << max(with[1], without[1]) << "\n";
}""", ("without[boss[i]] += max(with[i], without[i]);", "without[boss[i]] += with[i];"),
      ["5\n10 20 5 6 9\n1 1 2 2\n", "1\n7\n", "1\n-7\n", "2\n3 4\n1\n", "3\n-1 -2 -3\n1 1\n", "4\n9 1 1 9\n1 2 3\n", "6\n1 9 9 9 9 9\n1 1 1 1 1\n",
       ["1000\n", *row_of(1000, [-50, 50]), *row_of(999, [1, 1, 0, 1], 2)], ["200000\n", *row_of(200000, [10**9, 10**9]), *row_of(199999, [1, 1, 1, 1])],
       ["200000\n", *row_of(200000, [-10**9, 10**9], 3), *row_of(199999, [1, 1, 0, 1], 4)]], time=1, slow=r"""
vector<vector<int>> below;
vector<long long> fun;
long long most(int i, bool may) {
  long long without = 0, with = fun[i];
  for (int j : below[i]) without += most(j, true);
  if (!may) return without;
  for (int j : below[i]) with += most(j, false);
  return max(with, without);
}
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  fun.resize(n + 1);
  below.resize(n + 1);
  for (int i = 1; i <= n; ++i) cin >> fun[i];
  for (int i = 2; i <= n; ++i) {
    int boss;
    cin >> boss;
    below[boss].push_back(i);
  }
  cout << most(1, true) << "\n";
}""")
def quiet_party(text):
    """Person 1 leads a firm; everybody else has one boss, with a smaller number. Somebody and their boss are never both
    invited to the same party. How much fun can a party be at most? It is the sum of what the guests contribute, and a
    party without guests is no fun: 0.

    Input: n (1 to 200000); what the persons 1 to n contribute (-10^9 to 10^9); then the bosses of the persons 2 to n.
    Output: the largest possible sum."""
    n, *rest = ints(text)
    fun, boss = rest[:n], [b - 1 for b in rest[n:]]
    children = [[] for _ in range(n)]
    for i, b in enumerate(boss, 1):
        children[b].append(i)
    best = [(0, 0)] * n  # of the part below: at all, and without its head
    for i in range(n - 1, -1, -1):
        without = sum(best[c][0] for c in children[i])
        best[i] = max(without, fun[i] + sum(best[c][1] for c in children[i])), without
    return best[0][0]


@task("best-contrast", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<array<int, 2>> next(1);
  next.reserve(1 << 22);
  long long best = 0;
  for (int i = 0; i < n; ++i) {
    long long x;
    cin >> x;
    int at = 0;
    for (int bit = 39; bit >= 0; --bit) {
      int side = x >> bit & 1;
      if (next[at][side] == 0) {
        next[at][side] = (int)next.size();
        next.push_back({0, 0});
      }
      at = next[at][side];
    }
    at = 0;
    long long most = 0;
    for (int bit = 39; bit >= 0; --bit) {
      int side = !(x >> bit & 1);
      if (next[at][side] != 0)
        most |= 1LL << bit;
      else
        side = !side;
      at = next[at][side];
    }
    best = max(best, most);
  }
  cout << best << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<long long> a(n);
  long long best = 0;
  for (int i = 0; i < n; ++i) {
    cin >> a[i];
    for (int j = 0; j < i; ++j)
      if ((a[i] ^ a[j]) > best) best = a[i] ^ a[j];
  }
  cout << best << "\n";
}""", [with_count(x) for x in ([5, 9, 12, 3], [4], [7, 7], [0, 2**40 - 1], [1, 2, 4, 8], [2**39, 2**39 + 1])] +
      [["1000\n", *row_of(1000, [0, 4000])], ["250000\n", *row_of(250000, [0, 0, 2, 2])], ["250000\n", *row_of(250000, [0, 2**22 - 1], 2)],
       ["250000\n", *row_of(250000, [2**39, 2**39 + 2**20], 3)]], time=1)
def best_contrast(text):
    """The contrast of two colours is their bitwise exclusive or. What is the largest contrast of two colours of a list?

    Input: n (1 to 250000), then the colours from 0 to 2^40 - 1.
    Output: the largest contrast, 0 if there is only one colour."""
    a, best = set(ints(text)[1:]), 0
    for bit in range(39, -1, -1):
        heads, want = {x >> bit for x in a}, best << 1 | 1
        best = want if any(want ^ h in heads for h in heads) else best << 1
    return best


@task("busy-branches", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, q;
  cin >> n >> q;
  vector<array<int, 18>> up(n + 1);
  vector<int> depth(n + 1);
  up[1].fill(1);
  for (int i = 2; i <= n; ++i) {
    cin >> up[i][0];
    depth[i] = depth[up[i][0]] + 1;
    for (int k = 1; k < 18; ++k) up[i][k] = up[up[i][k - 1]][k - 1];
  }
  long long sum = 0;
  while (q--) {
    int a, b;
    cin >> a >> b;
    sum += depth[a] + depth[b];
    if (depth[a] < depth[b]) swap(a, b);
    for (int k = 17; k >= 0; --k)
      if (depth[a] - (1 << k) >= depth[b]) a = up[a][k];
    for (int k = 17; k >= 0; --k)
      if (up[a][k] != up[b][k]) a = up[a][k], b = up[b][k];
    if (a != b) a = up[a][0];
    sum -= 2 * depth[a];
  }
  cout << sum << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, q;
  cin >> n >> q;
  vector<int> up(n + 1), depth(n + 1);
  for (int i = 2; i <= n; ++i) {
    cin >> up[i];
    depth[i] = depth[up[i]] + 1;
  }
  long long sum = 0;
  while (q--) {
    int a, b;
    cin >> a >> b;
    for (; a != b; ++sum) (depth[a] < depth[b] ? b : a) = up[depth[a] < depth[b] ? b : a];
  }
  cout << sum << "\n";
}""", ["5 3\n1 1 2 2\n4 5\n3 4\n1 1\n", "1 1\n1 1\n", "2 2\n1\n1 2\n2 2\n", "4 2\n1 2 3\n4 1\n2 4\n", "6 3\n1 1 1 1 1\n2 6\n3 3\n1 5\n",
       ["500 1000\n", *row_of(499, [1, 1, 0, 1]), rows(1000, [1, 500], [1, 500], seed=2)],
       ["100000 100000\n", *row_of(99999, [1, 1, 0, 1], 3), rows(100000, [1, 100000], [1, 100000], seed=4)],
       ["100000 100000\n", *row_of(99999, [1, 1, 1, 1]), rows(100000, [1, 50], [99900, 100000], seed=5)],
       ["100000 100000\n", "1 1 ", *row_of(99997, [2, 2, 1, 1]), rows(100000, [99000, 100000], [99000, 100000], seed=6)]], time=1)
def busy_branches(text):
    """A tree has the nodes 1 to n; node 1 is its root, and of each other node the parent is given, which has a smaller
    number. Ants walk from node to node along the edges, on the shortest way. How many edges do all of them walk?

    Input: n and the number of ants (1 to 100000 each), the parents of the nodes 2 to n, then for each ant the two nodes
    between which it walks.
    Output: the sum of the lengths of the walks."""
    n, q, *rest = ints(text)
    parent, depth, size = [0, 1] + rest[:n - 1], [0] * (n + 1), [1] * (n + 1)
    for i in range(n, 1, -1):
        size[parent[i]] += size[i]
    heavy = [0] * (n + 1)
    for i in range(2, n + 1):
        depth[i] = depth[parent[i]] + 1
        if size[i] > size[heavy[parent[i]]] or heavy[parent[i]] == 0:
            heavy[parent[i]] = i
    head = list(range(n + 1))  # of the heavy path of each node
    for i in range(2, n + 1):
        if heavy[parent[i]] == i:
            head[i] = head[parent[i]]
    total, pairs = 0, rest[n - 1:]
    for a, b in zip(pairs[::2], pairs[1::2]):
        total += depth[a] + depth[b]
        while head[a] != head[b]:
            if depth[head[a]] < depth[head[b]]:
                a, b = b, a
            a = parent[head[a]]
        total -= 2 * min(depth[a], depth[b])
    return total


@task("rich-necklace", 2, r"""
int main() {
  string s;
  cin >> s;
  struct State {
    array<int, 26> next{};
    int link = -1, length = 0;
  };
  vector<State> states(1);
  states.reserve(2 * s.size() + 2);
  int last = 0;
  long long count = 0;
  for (char letter : s) {
    int c = letter - 'a', now = (int)states.size(), p = last;
    states.push_back({{}, 0, states[last].length + 1});
    for (; p >= 0 && states[p].next[c] == 0; p = states[p].link) states[p].next[c] = now;
    if (p >= 0) {
      int q = states[p].next[c];
      if (states[q].length == states[p].length + 1) {
        states[now].link = q;
      } else {
        int copy = (int)states.size();
        states.push_back(states[q]);
        states[copy].length = states[p].length + 1;
        for (; p >= 0 && states[p].next[c] == q; p = states[p].link) states[p].next[c] = copy;
        states[q].link = states[now].link = copy;
      }
    }
    last = now;
    count += states[now].length - states[states[now].link].length;
  }
  cout << count << "\n";
}""", r"""
int main() {
  string s;
  cin >> s;
  set<string> pieces;
  for (size_t i = 0; i < s.size(); ++i)
    for (size_t n = 1; i + n <= s.size(); ++n) pieces.insert(s.substr(i, n));
  cout << pieces.size() << "\n";
}""", ["abab\n", "a\n", "aaaaa\n", "abc\n", "abcabcabc\n", "zyzzyzzyz\n", [rows(300, ["a", "b", "c"], end=""), "\n"],
       [rows(100000, ["a", "b"], end="", seed=2), "\n"], [rows(100000, "q", end=""), "\n"],
       [rows(50000, ["a", "b", "c", "d"], end="", seed=9), rows(50000, ["a", "b", "c", "d"], end="", seed=9), "\n"]], time=1, slow=r"""
int main() {
  string s;
  cin >> s;
  long long count = 0;
  for (size_t i = 0; i < s.size(); ++i) {
    size_t known = 0;
    for (size_t j = 0; j < i; ++j) {
      size_t same = 0;
      while (i + same < s.size() && s[i + same] == s[j + same]) ++same;
      known = max(known, same);
    }
    count += s.size() - i - known;
  }
  cout << count << "\n";
}""")
def rich_necklace(text):
    """How many different pieces does a string of pearls have? A piece is one or more neighbouring pearls, and pieces are
    the same if they have the same letters in the same order: abab has a, b, ab, ba, aba, bab and abab.

    Input: the pearls as a word of 1 to 100000 small letters.
    Output: the number of different pieces."""
    s = text.strip()
    order, rank, step = sorted(range(len(s)), key=s.__getitem__), [ord(c) for c in s], 1
    while step < len(s) and len(set(rank)) < len(s):  # suffix array by doubling
        key = [rank[i] * 1000003 + (rank[i + step] + 1 if i + step < len(s) else 0) for i in range(len(s))]
        order = sorted(range(len(s)), key=key.__getitem__)
        number = -1
        for at, i in enumerate(order):
            number += at == 0 or key[i] != key[order[at - 1]]
            rank[i] = number
        step *= 2
    place = [0] * len(s)
    for at, i in enumerate(order):
        place[i] = at
    shared = total = 0
    for i in range(len(s)):  # Kasai: the prefix shared with the suffix before
        if place[i] == 0:
            shared = 0
            continue
        j = order[place[i] - 1]
        while max(i, j) + shared < len(s) and s[i + shared] == s[j + shared]:
            shared += 1
        total += shared
        shared = max(0, shared - 1)
    return len(s) * (len(s) + 1) // 2 - total
