using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace JobHost.Conformance.Victims;

/// <summary>
/// The victim program as it lies on this machine: compiled when the suite starts, copied once for each run so that a run's
/// processes are known by their program alone. The folder is all that the suite leaves on a machine while it works, and it is
/// removed at the end with every process that was started from it.
/// </summary>
internal sealed class VictimProgram : IAsyncDisposable
{
    private const UnixFileMode Everybody =
        UnixFileMode.UserRead
        | UnixFileMode.UserWrite
        | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite
        | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherWrite
        | UnixFileMode.OtherExecute;

    private static readonly string[] Compilers = ["cc", "gcc", "clang"];
    private readonly bool isKept;

    private VictimProgram(string root, bool isKept)
    {
        Root = root;
        this.isKept = isKept;
    }

    /// <summary>The folder of this suite.</summary>
    internal string Root { get; }

    /// <summary>The program itself, from which no run's processes run.</summary>
    internal string File => Path.Combine(Root, "bin", "victim");

    /// <summary>The name that a compiler goes by here, or null.</summary>
    internal static string? Compiler() =>
        Compilers
            .SelectMany(name =>
                (Environment.GetEnvironmentVariable("PATH") ?? "")
                    .Split(':')
                    .Where(Path.IsPathRooted)
                    .Select(folder => Path.Combine(folder, name))
            )
            .FirstOrDefault(System.IO.File.Exists);

    /// <summary>Compiles the program into a new folder.</summary>
    /// <param name="folder">Null: a temporary one, which is removed at the end.</param>
    /// <param name="cancellationToken">Ctrl+C.</param>
    internal static async Task<VictimProgram> BuildAsync(string? folder, CancellationToken cancellationToken)
    {
        var compiler =
            Compiler() ?? throw new SuiteException($"no C compiler is installed ({string.Join(", ", Compilers)})");
        var root = Path.GetFullPath(
            folder ?? Path.Combine(Path.GetTempPath(), $"jobhost-conformance-{Guid.NewGuid():N}")
        );
        var program = new VictimProgram(root, isKept: folder is not null);
        foreach (var name in new[] { "", "bin", "runs", "home" })
        {
            var path = Path.Combine(root, name);
            Directory.CreateDirectory(path);
            // A server that runs as another user works here, too; but none runs a program that everybody could exchange.
            System.IO.File.SetUnixFileMode(
                path,
                name == "bin" ? Everybody & ~(UnixFileMode.GroupWrite | UnixFileMode.OtherWrite) : Everybody
            );
        }
        await System.IO.File.WriteAllBytesAsync(program.HaltFile, new byte[1], cancellationToken);
        var sources = await UnpackAsync(Path.Combine(root, "bin"), cancellationToken);
        using var compile = Process.Start(
            new ProcessStartInfo(compiler, ["-O1", "-pthread", "-o", program.File, .. sources])
            {
                RedirectStandardError = true,
            }
        )!;
        var errors = await compile.StandardError.ReadToEndAsync(cancellationToken);
        await compile.WaitForExitAsync(cancellationToken);
        return compile.ExitCode == 0 ? program : throw new SuiteException($"the victims cannot be compiled: {errors}");
    }

    /// <summary>The program that an earlier call has built for a node that runs already.</summary>
    internal static VictimProgram Existing(string folder)
    {
        var program = new VictimProgram(Path.GetFullPath(folder), isKept: true);
        return System.IO.File.Exists(program.File)
            ? program
            : throw new SuiteException($"there is no victim program below '{folder}': write the configuration first");
    }

    internal string RunFile(string token) => Path.Combine(Root, "runs", token);

    /// <summary>Where a run's processes work that are not the suite's own program.</summary>
    internal string RunFolder(string token) => RunFile(token) + ".d";

    /// <summary>Makes a run's own copy.</summary>
    internal void Prepare(string token) => System.IO.File.Copy(File, RunFile(token));

    /// <summary>Ends what is left of a run, and removes its files.</summary>
    internal async Task ForgetAsync(string token)
    {
        await RunAsync("sweep", RunFile(token), RunFolder(token));
        if (Directory.Exists(RunFolder(token)))
        {
            Directory.Delete(RunFolder(token), recursive: true);
        }
        foreach (var path in Directory.EnumerateFiles(Path.Combine(Root, "runs"), token + "*"))
        {
            if (path == RunFile(token) || path.StartsWith(RunFile(token) + ".", StringComparison.Ordinal))
            {
                System.IO.File.Delete(path);
            }
        }
    }

    /// <summary>How many processes the victim says it has, or null while it is not ready.</summary>
    internal int? ReadyCount(string token)
    {
        var path = RunFile(token) + ".ready";
        return System.IO.File.Exists(path)
            ? int.Parse(System.IO.File.ReadAllText(path), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture)
            : null;
    }

    /// <summary>Why the victim could not do what it is there for, or null.</summary>
    internal string? Prevented(string token)
    {
        var path = RunFile(token) + ".prevented";
        return System.IO.File.Exists(path) ? System.IO.File.ReadAllText(path).Trim() : null;
    }

    /// <summary>A number that grows for as long as a victim of this run multiplies.</summary>
    internal ulong Beat(string token)
    {
        var path = RunFile(token) + ".beat";
        if (!System.IO.File.Exists(path))
        {
            return 0;
        }
        var bytes = System.IO.File.ReadAllBytes(path);
        return bytes.Length >= 8 ? BitConverter.ToUInt64(bytes) : 0;
    }

    /// <summary>Sends a signal by number to all of them, in one breath.</summary>
    internal async Task SignalAsync(int signal, params IEnumerable<int> pids) =>
        await RunAsync([
            "signal",
            signal.ToString(CultureInfo.InvariantCulture),
            .. pids.Select(pid => pid.ToString(CultureInfo.InvariantCulture)),
        ]);

    public async ValueTask DisposeAsync()
    {
        // Whatever multiplies looks at this file; after that, nothing runs away from the broom.
        await System.IO.File.WriteAllBytesAsync(HaltFile, [1], CancellationToken.None);
        await RunAsync("sweep", Root);
        if (isKept)
        {
            await System.IO.File.WriteAllBytesAsync(HaltFile, [0], CancellationToken.None);
        }
        else
        {
            Directory.Delete(Root, recursive: true);
        }
    }

    private string HaltFile => Path.Combine(Root, "halt");

    private async Task<int> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(File, arguments);
        await process.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode;
    }

    private static async Task<List<string>> UnpackAsync(string folder, CancellationToken cancellationToken)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var sources = new List<string>();
        foreach (
            var name in assembly
                .GetManifestResourceNames()
                .Where(name =>
                    name.EndsWith(".c", StringComparison.Ordinal) || name.EndsWith(".h", StringComparison.Ordinal)
                )
        )
        {
            var path = Path.Combine(folder, name);
            await using var source = assembly.GetManifestResourceStream(name)!;
            await using var target = System.IO.File.Create(path);
            await source.CopyToAsync(target, cancellationToken);
            if (name.EndsWith(".c", StringComparison.Ordinal))
            {
                sources.Add(path);
            }
        }
        return sources;
    }
}
