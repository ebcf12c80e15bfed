using Commerce.NativeHosting.State;

namespace Commerce.NativeHosting.Engine;

/// <summary>A resource's output: to its file, to the console under its name, and the last lines kept for when it dies.</summary>
internal sealed class LogSink : IDisposable
{
    private const long MaxBytes = 16 * 1024 * 1024;
    private const int TailLines = 20;
    private static readonly int[] Colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];
    private readonly Lock _gate = new();
    private readonly Queue<string> _tail = new();
    private readonly string _prefix;
    private readonly bool _toConsole;
    private StreamWriter _file;

    public LogSink(StateDirectory state, string name, int index, int width, bool toConsole)
    {
        Path = System.IO.Path.Combine(state.Logs, $"{name}.log");
        _toConsole = toConsole;
        var coloured = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var padded = name.PadRight(width);
        _prefix = coloured ? $"\e[{Colours[index % Colours.Length]}m{padded} |\e[0m " : $"{padded} | ";
        _file = Rotate();
    }

    public string Path { get; }

    public IReadOnlyList<string> Tail
    {
        get
        {
            lock (_gate)
                return [.. _tail];
        }
    }

    public void Write(string line)
    {
        lock (_gate)
        {
            if (_file.BaseStream.Position > MaxBytes)
            {
                _file.Dispose();
                _file = Rotate();
            }

            _file.WriteLine(line);
            _tail.Enqueue(line);
            if (_tail.Count > TailLines)
                _tail.Dequeue();
        }

        if (_toConsole)
            Console.Out.WriteLine(_prefix + line);
    }

    public void Dispose()
    {
        lock (_gate)
            _file.Dispose();
    }

    private StreamWriter Rotate()
    {
        if (File.Exists(Path))
            File.Move(Path, System.IO.Path.ChangeExtension(Path, ".1.log"), overwrite: true);
        return new StreamWriter(new FileStream(Path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)) { AutoFlush = true };
    }
}
