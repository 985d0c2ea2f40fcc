using JobHost.Benchmarks.Measuring;

namespace JobHost.Benchmarks;

/// <summary>One question of cost. Each of its tables has beside it what the machine itself needs, measured in the same run.</summary>
internal interface IScenario
{
    /// <summary>What it is called on the command line.</summary>
    string Name { get; }

    /// <summary>What it measures, in a line.</summary>
    string Measures { get; }

    /// <summary>Measures, table by table. Ends every process that it started.</summary>
    /// <exception cref="BenchmarkException">It cannot be measured here.</exception>
    IAsyncEnumerable<Figures> RunAsync(Settings settings, CancellationToken cancellationToken);
}
