"""Tasks of middle difficulty of the suite "cpp", first half."""
import heapq
from collections import Counter, deque

from cpp_suite import Draw, ints, line, row_of, rows, task, with_count

draw = Draw(201)


@task("first-bad-bracket", 1, r"""
int main() {
  string s;
  getline(cin, s);
  vector<int> open;
  for (size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    if (c == '(' || c == '[' || c == '{') {
      open.push_back((int)i);
    } else if (c == ')' || c == ']' || c == '}') {
      char want = c == ')' ? '(' : c == ']' ? '[' : '{';
      if (open.empty() || s[open.back()] != want) {
        cout << i + 1 << "\n";
        return 0;
      }
      open.pop_back();
    }
  }
  cout << (open.empty() ? 0 : open[0] + 1) << "\n";
}""", ("open[0] + 1", "open.back() + 1"),
      ["f(a[1], {x})\n", "(]\n", "((a)\n", "(([x)\n", "((a\n", "\n", ")\n", "no brackets\n", "[{()}()](\n", "{[}]\n", "([)\n",
       "(" * 2000 + ")" * 2000 + "\n", "[" * 300 + "]" * 299 + "\n"])
def first_bad_bracket(text):
    """Do the brackets ( ) [ ] { } of a line match? Other characters do not count.

    Input: a line of at most 10000 characters, perhaps empty.
    Output: 0 if all is well. Otherwise the place, from 1, of the first closing bracket that does not close the one
    opened last; or, if there is none such, of the first bracket that is never closed."""
    s, stack = text.split("\n")[0], []
    for i, c in enumerate(s):
        if c in "([{":
            stack.append(i)
        elif c in ")]}":
            if not stack or s[stack[-1]] + c not in ("()", "[]", "{}"):
                return i + 1
            stack.pop()
    return stack[0] + 1 if stack else 0


def expression(depth):
    if depth == 0 or draw(0, 4) == 0:
        return str(draw(0, 99))
    kind = draw(0, 5)
    if kind == 0:
        return f"-{expression(0)}"
    if kind == 1:
        return f"({expression(depth - 1)})"
    return f"{expression(depth - 1)}{draw.pick(['+', ' - ', '*', ' * '])}{expression(depth - 1)}"


@task("calculator", 1, r"""
const long long kPrime = 1000000007;
string s;
size_t at = 0;
long long sum();
void skip() {
  while (at < s.size() && s[at] == ' ') ++at;
}
bool take(char c) {
  skip();
  if (at >= s.size() || s[at] != c) return false;
  ++at;
  return true;
}
long long factor() {
  if (take('-')) return (kPrime - factor()) % kPrime;
  if (take('(')) {
    long long value = sum();
    take(')');
    return value;
  }
  long long value = 0;
  while (at < s.size() && isdigit((unsigned char)s[at])) value = (value * 10 + s[at++] - '0') % kPrime;
  return value;
}
long long product() {
  long long value = factor();
  while (take('*')) value = value * factor() % kPrime;
  return value;
}
long long sum() {
  long long value = product();
  while (true) {
    if (take('+'))
      value = (value + product()) % kPrime;
    else if (take('-'))
      value = (value + kPrime - product()) % kPrime;
    else
      return value;
  }
}
int main() {
  while (getline(cin, s)) {
    at = 0;
    cout << sum() << "\n";
  }
}""", ("value = (value + kPrime - product()) % kPrime;", "value = (value + kPrime - sum()) % kPrime;"),
      ["2 + 3 * (4 - 1)\n1 - 2\n", "7\n", "10-3-2\n", "--5\n-(2+3)*-4\n", "1000000006+1\n", "99999*99999*99999*99999\n",
       "((((((1))))))\n", " 8 *( 2+ 1 ) -  - 1\n", "123456789012345678901234567890\n",
       "".join(expression(5) + "\n" for _ in range(60)), "(" * 1500 + "1" + "+1)" * 1500 + "\n"])
def calculator(text):
    """Evaluate expressions of whole numbers with +, -, *, brackets and minus signs before a number, a bracket or
    another minus sign. * binds more tightly than + and -, and equal ones are worked off from the left. There may be
    spaces between the parts.

    Input: correct expressions, one a line of at most 10000 characters; numbers have at most 100 digits.
    Output: for each its value modulo 1000000007, from 0 to 1000000006."""
    prime, out = 1000000007, []
    for row in text.splitlines():
        tokens, number = [], ""
        for c in row + " ":
            if c.isdigit():
                number += c
                continue
            if number:
                tokens.append(int(number))
                number = ""
            if c != " ":
                tokens.append(c)
        values, operators, before = [], [], None
        rank = {"(": 0, "+": 1, "-": 1, "*": 2, "~": 3}

        def work_off():
            o, b = operators.pop(), values.pop()
            if o == "~":
                values.append(-b % prime)
            else:
                a = values.pop()
                values.append((a + b if o == "+" else a - b if o == "-" else a * b) % prime)
        for token in tokens:
            if isinstance(token, int):
                values.append(token % prime)
            elif token == "(":
                operators.append(token)
            elif token == ")":
                while operators[-1] != "(":
                    work_off()
                operators.pop()
            elif token == "-" and (before is None or before in ("(", "+", "-", "*")):
                operators.append("~")
            else:
                while operators and rank[operators[-1]] >= rank[token]:
                    work_off()
                operators.append(token)
            before = token
        while operators:
            work_off()
        out.append(values[0])
    return "\n".join(map(str, out))


def grid(r, c, letters):
    return f"{r} {c}\n" + "".join(draw.word(c, letters) + "\n" for _ in range(r))


@task("islands", 1, r"""
int main() {
  int rows, columns;
  cin >> rows >> columns;
  vector<string> map(rows);
  for (auto& row : map) cin >> row;
  int islands = 0, largest = 0;
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) {
      if (map[r][c] != '#') continue;
      ++islands;
      int size = 0;
      vector<pair<int, int>> todo{{r, c}};
      map[r][c] = '.';
      while (!todo.empty()) {
        auto [y, x] = todo.back();
        todo.pop_back();
        ++size;
        for (auto [dy, dx] : {pair{0, 1}, pair{1, 0}, pair{0, -1}, pair{-1, 0}}) {
          int v = y + dy, u = x + dx;
          if (v < 0 || u < 0 || v >= rows || u >= columns || map[v][u] != '#') continue;
          map[v][u] = '.';
          todo.push_back({v, u});
        }
      }
      largest = max(largest, size);
    }
  cout << islands << " " << largest << "\n";
}""", ("{pair{0, 1}, pair{1, 0}, pair{0, -1}, pair{-1, 0}}", "{pair{0, 1}, pair{1, 0}, pair{0, -1}}"),
      ["3 5\n##..#\n.#.##\n#...#\n", "1 1\n.\n", "1 1\n#\n", "2 2\n#.\n.#\n", "3 3\n#.#\n#.#\n###\n", "4 6\n######\n#....#\n#.##.#\n######\n",
       "1 8\n##.###.#\n", grid(40, 50, "#."), grid(60, 60, "##."), ["700 700\n", rows(700, "#" * 700)]])
def islands(text):
    """A map shows land as # and water as a full stop. Squares of land that share an edge belong to the same island.

    Input: the numbers of rows and columns (1 to 1000 each), then the map.
    Output: how many islands there are, and how many squares the largest has (0 if there is none)."""
    lines = text.split()[2:]
    land = {(r, c) for r, row in enumerate(lines) for c, x in enumerate(row) if x == "#"}
    count = largest = 0
    while land:
        todo, size = [land.pop()], 0
        while todo:
            r, c = todo.pop()
            size += 1
            for near in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
                if near in land:
                    land.remove(near)
                    todo.append(near)
        count, largest = count + 1, max(largest, size)
    return f"{count} {largest}"


def maze(r, c, letters):
    cells = [list(draw.word(c, letters)) for _ in range(r)]
    cells[0][0], cells[-1][-1] = "S", "T"
    return f"{r} {c}\n" + "".join("".join(row) + "\n" for row in cells)


@task("key-and-door", 1, r"""
int main() {
  int rows, columns;
  cin >> rows >> columns;
  vector<string> map(rows);
  for (auto& row : map) cin >> row;
  vector<int> steps(2 * rows * columns, -1);
  queue<int> todo;
  auto visit = [&](int r, int c, int key, int count) {
    if (r < 0 || c < 0 || r >= rows || c >= columns || map[r][c] == '#') return;
    if (map[r][c] == 'D' && !key) return;
    if (map[r][c] == 'k') key = 1;
    int place = (key * rows + r) * columns + c;
    if (steps[place] >= 0) return;
    steps[place] = count;
    todo.push(place);
  };
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c)
      if (map[r][c] == 'S') visit(r, c, 0, 0);
  while (!todo.empty()) {
    int place = todo.front();
    todo.pop();
    int c = place % columns, r = place / columns % rows, key = place / columns / rows;
    if (map[r][c] == 'T') {
      cout << steps[place] << "\n";
      return 0;
    }
    visit(r + 1, c, key, steps[place] + 1);
    visit(r - 1, c, key, steps[place] + 1);
    visit(r, c + 1, key, steps[place] + 1);
    visit(r, c - 1, key, steps[place] + 1);
  }
  cout << "no way\n";
}""", ("int place = (key * rows + r) * columns + c;", "int place = r * columns + c;\n    key = 1;"),
      ["3 5\nS.#kT\n..D..\nk.#..\n", "1 2\nST\n", "1 3\nS#T\n", "1 3\nSDT\n", "1 5\nkSD.T\n", "2 3\nSDT\n..k\n", "3 4\nSD.T\n.##.\n....\n",
       "3 3\nT.S\n...\n###\n", "3 7\nS..D..T\n.#####.\n......k\n", maze(15, 20, "...#Dk"), maze(30, 30, "....##D"),
       maze(40, 40, "......##Dk"), "1 12\nkkSD.D.D..DT\n"])
def key_and_door(text):
    """In a maze # is a wall, S the start and T the target. Squares k have a key; whoever has been on one of them can
    go through all doors D from then on. A step leads to a square that shares an edge. How many steps does it take from
    S to T?

    Input: the numbers of rows and columns (1 to 300 each), then the maze, free squares as full stops.
    Output: the smallest number of steps, or no way."""
    lines = text.split()[2:]
    at = {(r, c): x for r, row in enumerate(lines) for c, x in enumerate(row)}
    start = next(p for p, x in at.items() if x == "S")
    known, todo = {(start, False): 0}, deque([(start, False)])
    while todo:
        (r, c), key = state = todo.popleft()
        if at[r, c] == "T":
            return known[state]
        for p in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
            x = at.get(p, "#")
            if x == "#" or x == "D" and not key:
                continue
            after = (p, key or x == "k")
            if after not in known:
                known[after] = known[state] + 1
                todo.append(after)
    return "no way"


@task("ways-to-pay", 1, r"""
int main() {
  int n, amount;
  cin >> n >> amount;
  vector<long long> ways(amount + 1);
  ways[0] = 1;
  for (int i = 0; i < n; ++i) {
    int coin;
    cin >> coin;
    for (int a = coin; a <= amount; ++a) ways[a] = (ways[a] + ways[a - coin]) % 998244353;
  }
  cout << ways[amount] << "\n";
}""", ("int a = coin; a <= amount; ++a", "int a = amount; a >= coin; --a"),
      ["3 10\n1 2 5\n", "1 0\n7\n", "1 5\n2\n", "2 4\n1 2\n", "3 100000\n1 2 3\n", "1 1\n100000\n", "5 999\n10 20 30 40 50\n",
       "50 100000\n" + line(range(1, 51)) + "\n", "10 5000\n" + line(sorted(set(draw.list(40, 1, 90)))[:10]) + "\n"])
def ways_to_pay(text):
    """In how many ways can an amount be paid with coins of the given values, as many of each as you like? The order of
    the coins does not count.

    Input: n (1 to 50) and the amount (0 to 100000), then n different values from 1 to 100000.
    Output: the number of ways modulo 998244353."""
    n, amount, *coins = ints(text)
    ways = [1] + [0] * amount
    for coin in coins:
        for a in range(coin, amount + 1):
            ways[a] = (ways[a] + ways[a - coin]) % 998244353
    return ways[amount]


@task("fewest-stamps", 1, r"""
int main() {
  int n, amount;
  cin >> n >> amount;
  vector<int> values(n), least(amount + 1, INT_MAX);
  for (int& v : values) cin >> v;
  least[0] = 0;
  for (int a = 1; a <= amount; ++a)
    for (int v : values)
      if (v <= a && least[a - v] != INT_MAX) least[a] = min(least[a], least[a - v] + 1);
  if (least[amount] == INT_MAX)
    cout << "impossible\n";
  else
    cout << least[amount] << "\n";
}""", r"""
int main() {
  int n, amount, count = 0;
  cin >> n >> amount;
  vector<int> values(n);
  for (int& v : values) cin >> v;
  sort(values.rbegin(), values.rend());
  for (int v : values) {
    count += amount / v;
    amount %= v;
  }
  if (amount > 0)
    cout << "impossible\n";
  else
    cout << count << "\n";
}""", ["3 12\n1 9 6\n", "1 0\n5\n", "1 3\n5\n", "2 7\n3 5\n", "2 100000\n1 99999\n", "3 6\n1 3 4\n", "4 99999\n2 4 6 8\n", "2 12\n4 6\n",
       "30 100000\n" + line(sorted(set(draw.list(60, 50, 5000)))[:30]) + "\n", "2 100000\n7 11\n"])
def fewest_stamps(text):
    """A letter needs stamps of exactly a certain amount. What is the smallest number of stamps?

    Input: n (1 to 30) and the amount (0 to 100000), then n different values of stamps from 1 to 100000; there are
    enough of each.
    Output: the number of stamps, or impossible."""
    n, amount, *values = ints(text)
    reached, count = {0}, 0
    seen = {0}
    while reached:
        if amount in reached:
            return count
        reached = {a + v for a in reached for v in values if a + v <= amount} - seen
        seen |= reached
        count += 1
    return "impossible"


@task("common-steps", 1, r"""
int main() {
  string a, b;
  cin >> a >> b;
  vector<vector<int>> best(a.size() + 1, vector<int>(b.size() + 1));
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j)
      best[i][j] = a[i - 1] == b[j - 1] ? best[i - 1][j - 1] + 1 : max(best[i - 1][j], best[i][j - 1]);
  cout << best[a.size()][b.size()] << "\n";
}""", """
int main() {
  string a, b;
  cin >> a >> b;
  size_t j = 0;
  int count = 0;
  for (char c : a) {
    size_t k = b.find(c, j);
    if (k == string::npos) continue;
    ++count;
    j = k + 1;
  }
  cout << count << "\\n";
}""", ["NNESWW NESSWN\n", "N N\n", "N S\n", "NS SN\n", "NNNN NN\n", "EWEWEWEW WEWEWEWE\n", f"{draw.word(800, 'NESW')} {draw.word(700, 'NESW')}\n",
       f"{draw.word(1500, 'NS')} {draw.word(1500, 'NS')}\n", "N" * 2000 + " " + "N" * 1999 + "S\n"])
def common_steps(text):
    """Two walks are written as steps N, E, S and W. Cross out steps of each so that both become the same walk, with as
    many steps left as possible. The order of the steps that are left does not change.

    Input: two words of 1 to 2000 letters N, E, S, W.
    Output: the number of steps that are left."""
    a, b = text.split()
    best = [0] * (len(b) + 1)
    for x in a:
        corner = 0
        for j, y in enumerate(b, 1):
            above = best[j]
            best[j] = corner + 1 if x == y else max(above, best[j - 1])
            corner = above
    return best[-1]


@task("painted-fence", 1, r"""
int main() {
  int n;
  cin >> n;
  vector<pair<long long, long long>> parts(n);
  for (auto& [a, b] : parts) {
    cin >> a >> b;
    if (a > b) swap(a, b);
  }
  sort(parts.begin(), parts.end());
  long long total = 0, count = 0, end = LLONG_MIN;
  for (auto [a, b] : parts) {
    if (a > end) {
      ++count;
      total += b - a;
      end = b;
    } else if (b > end) {
      total += b - end;
      end = b;
    }
  }
  cout << total << " " << count << "\n";
}""", ("    if (a > b) swap(a, b);\n", ""),
      ["4\n1 4\n6 5\n3 5\n9 12\n", "1\n0 1\n", "2\n0 10\n2 3\n", "2\n5 1\n1 -4\n", "1\n-1000000000000 1000000000000\n",
       "3\n1 2\n3 4\n2 3\n", "3\n10 9\n8 7\n6 5\n",
       "300\n" + "".join(f"{(a := draw(-3000, 3000))} {a + draw.pick([1, 5, 9, -7])}\n" for _ in range(300)),
       ["100000\n", rows(100000, [0, 10**12], [-10**12, -1], seed=3)],
       ["100000\n", rows(100000, [0, 2, 10, 10], [3, 8, 10, 10], seed=4)]])
def painted_fence(text):
    """Painters paint parts of a fence, each from one place to another, in either direction. How long is what was
    painted, and in how many connected pieces? Parts that only touch are connected.

    Input: n (1 to 100000), then n pairs of different places from -10^12 to 10^12.
    Output: the length and the number of pieces."""
    numbers = ints(text)[1:]
    parts = sorted(tuple(sorted(p)) for p in zip(numbers[::2], numbers[1::2]))
    total, pieces, (start, end) = 0, 1, parts[0]
    for a, b in parts:
        if a > end:
            total, pieces, start = total + end - start, pieces + 1, a
        end = max(end, b)
    return f"{total + end - start} {pieces}"


@task("loudest-minutes", 1, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, k;
  cin >> n >> k;
  vector<int> a(n);
  deque<int> best;
  long long total = 0;
  for (int i = 0; i < n; ++i) {
    cin >> a[i];
    while (!best.empty() && a[best.back()] <= a[i]) best.pop_back();
    best.push_back(i);
    if (best.front() <= i - k) best.pop_front();
    if (i >= k - 1) total += a[best.front()];
  }
  cout << total << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, k;
  cin >> n >> k;
  vector<int> a(n);
  for (int& x : a) cin >> x;
  long long total = 0;
  for (int i = 0; i + k <= n; ++i) {
    int best = a[i];
    for (int j = i; j < i + k; ++j)
      if (a[j] > best) best = a[j];
    total += best;
  }
  cout << total << "\n";
}""", ["6 3\n1 3 2 2 5 0\n", "1 1\n9\n", "4 4\n4 3 2 1\n", "5 1\n1 2 3 4 5\n", "5 2\n9 7 5 3 1\n", "4 2\n7 7 7 7\n",
       ["1000 37\n", *row_of(1000, [0, 1000])], ["400000 200000\n", *row_of(400000, [400000, 400000, -1, -1])],
       ["400000 150000\n", *row_of(400000, [0, 10**9], 8)]], time=1)
def loudest_minutes(text):
    """A microphone notes one loudness a minute. For every k minutes in a row take the largest of them, and add up these
    n - k + 1 numbers.

    Input: n and k, 1 <= k <= n <= 400000, then n whole numbers from 0 to 10^9.
    Output: the sum."""
    n, k, *a = ints(text)
    heap, total = [], 0
    for i, x in enumerate(a):
        heapq.heappush(heap, (-x, i))
        while heap[0][1] <= i - k:
            heapq.heappop(heap)
        if i >= k - 1:
            total -= heap[0][0]
    return total


@task("lattice-garden", 1, r"""
int main() {
  int n;
  cin >> n;
  vector<long long> x(n), y(n);
  for (int i = 0; i < n; ++i) cin >> x[i] >> y[i];
  long long twice = 0, edge = 0;
  for (int i = 0; i < n; ++i) {
    int j = (i + 1) % n;
    twice += x[i] * y[j] - x[j] * y[i];
    edge += gcd(abs(x[i] - x[j]), abs(y[i] - y[j]));
  }
  twice = abs(twice);
  cout << (twice - edge + 2) / 2 << " " << edge << "\n";
}""", ("  twice = abs(twice);\n", ""),
      ["4\n0 0\n4 0\n4 3\n0 3\n", "3\n0 0\n1 0\n0 1\n", "3\n0 0\n0 5\n5 0\n", "4\n0 0\n0 2\n2 2\n2 0\n",
       "4\n-10000000 -10000000\n10000000 -10000000\n10000000 10000000\n-10000000 10000000\n", "6\n0 0\n4 0\n4 4\n2 4\n2 2\n0 2\n",
       "5\n0 0\n6 0\n6 6\n3 1\n0 6\n", "3\n-7 -7\n8 -3\n1 9\n",
       "200\n" + "".join(f"{i} {draw(0, 50)}\n" for i in range(100)) + "".join(f"{i} {draw(60, 99)}\n" for i in range(99, -1, -1))])
def lattice_garden(text):
    """A garden is a polygon whose corners have whole coordinates; its edges do not cross or touch. A tree stands on
    every point with whole coordinates. How many trees stand inside, and how many on the edge, corners included?

    Input: n (3 to 1000), then the corners in order along the edge, clockwise or not, coordinates from -10^7 to 10^7.
    Output: both numbers."""
    from math import gcd
    numbers = ints(text)[1:]
    p = list(zip(numbers[::2], numbers[1::2]))
    twice = abs(sum(a * d - c * b for (a, b), (c, d) in zip(p, p[1:] + p[:1])))
    edge = sum(gcd(abs(a - c), abs(b - d)) for (a, b), (c, d) in zip(p, p[1:] + p[:1]))
    return f"{(twice - edge) // 2 + 1} {edge}"


@task("life-on-a-ring", 1, r"""
int main() {
  int rows, columns, steps;
  cin >> rows >> columns >> steps;
  vector<string> now(rows), next;
  for (auto& row : now) cin >> row;
  while (steps--) {
    next = now;
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < columns; ++c) {
        int around = 0;
        for (int y = -1; y <= 1; ++y)
          for (int x = -1; x <= 1; ++x)
            if (y != 0 || x != 0) around += now[(r + y + rows) % rows][(c + x + columns) % columns] == 'o';
        next[r][c] = around == 3 || (around == 2 && now[r][c] == 'o') ? 'o' : '.';
      }
    now = next;
  }
  for (auto& row : now) cout << row << "\n";
}""", ("[(r + y + rows) % rows]", "[min(max(r + y, 0), rows - 1)]"),
      ["5 5 1\n.....\n..o..\n..o..\n..o..\n.....\n", "3 3 0\nooo\n...\n...\n", "3 3 1\nooo\n...\n...\n", "3 3 5\n...\n...\n...\n",
       "6 6 24\n.o....\n..o...\nooo...\n......\n......\n......\n", "4 4 100\noo..\noo..\n....\n....\n", "3 8 7\n.o......\n.o......\n.o......\n",
       "20 30 50\n" + "".join(draw.word(30, "..o") + "\n" for _ in range(20)), "40 40 25\n" + "".join(draw.word(40, ".o") + "\n" for _ in range(40))])
def life_on_a_ring(text):
    """Squares of a board are alive (o) or dead (a full stop). In every step a square is alive afterwards if three of its
    eight neighbours are alive now, or if it is alive and two of them are. The board has no edge: beyond its last column
    comes its first, beyond its last row its first.

    Input: the numbers of rows and columns (3 to 60 each) and of steps (0 to 100), then the board.
    Output: the board after these steps."""
    words = text.split()
    r, c, steps = map(int, words[:3])
    alive = {(y, x) for y, row in enumerate(words[3:]) for x, s in enumerate(row) if s == "o"}
    for _ in range(steps):
        around = Counter(((y + a) % r, (x + b) % c) for y, x in alive for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b)
        alive = {p for p, n in around.items() if n == 3 or n == 2 and p in alive}
    return "\n".join("".join("o" if (y, x) in alive else "." for x in range(c)) for y in range(r))
