using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using JobHost.Benchmarks.Measuring;
using JobHost.Benchmarks.Nodes;
using JobHost.Runs;

namespace JobHost.Benchmarks.Streams;

/// <summary>A command that prints without end: how long its output takes to be in the run's log, searched for secrets.</summary>
internal sealed class OutputScenario : IScenario
{
    private const int MiB = 1024 * 1024;
    private const int Size = 64 * MiB;
    private const string Prints = "prints";

    public string Name => "output";

    public string Measures =>
        $"{Size / MiB} MiB that a command prints, until they are in the log of its run and it has ended";

    public async IAsyncEnumerable<Figures> RunAsync(
        Settings settings,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var folder = new TemporaryFolder();
        var printed = Path.Join(folder.Path, "printed");
        await WriteLinesAsync(printed, cancellationToken);
        await using var node = await EmbeddedNode.StartAsync(
            folder.Path,
            cancellationToken,
            [
                ($"Commands:{Prints}:File", "/bin/cat"),
                ($"Commands:{Prints}:Arguments:0", printed),
                ($"Commands:{Prints}:OutputLimit", (2L * Size).ToString(CultureInfo.InvariantCulture)),
            ]
        );
        var measured = await Rounds.MeasureAsync(
            [
                Contender.Of("cat, its pipe copied into a file", token => CopyAsync(printed, token)),
                Contender.Of("a run of cat", token => RunAsync(node, token)),
            ],
            settings.Rounds,
            cancellationToken,
            warmup: 1
        );
        yield return new(Name, [measured[0]], [measured[1]], Rival: null);
    }

    private static async Task WriteLinesAsync(string file, CancellationToken cancellationToken)
    {
        await using var writer = new StreamWriter(file);
        for (var written = 0; written < Size; )
        {
            var line = RandomNumberGenerator.GetHexString(63).AsMemory();
            await writer.WriteLineAsync(line, cancellationToken);
            written += line.Length + 1;
        }
    }

    private static async Task CopyAsync(string printed, CancellationToken cancellationToken)
    {
        using var cat = Process.Start(new ProcessStartInfo("/bin/cat", [printed]) { RedirectStandardOutput = true })!;
        await using (var copy = new FileStream($"{printed}.copy", FileMode.Create))
        {
            await cat.StandardOutput.BaseStream.CopyToAsync(copy, cancellationToken);
        }
        await cat.WaitForExitAsync(cancellationToken);
    }

    private static async Task RunAsync(EmbeddedNode node, CancellationToken cancellationToken)
    {
        var run = await node.StartAsync(Prints);
        await node.WhenEndedAsync(run, RunState.Succeeded, cancellationToken);
    }
}
