using JobHost.Benchmarks.Measuring;

namespace JobHost.Benchmarks.Kills;

/// <summary>Processes that do nothing and concern nobody, until they are disposed of.</summary>
internal sealed class Bystanders : IDisposable
{
    private readonly List<BareChild> children = [];

    internal Bystanders(int count)
    {
        for (var number = 0; number < count; number++)
        {
            children.Add(new(Victim.Sleep.File, Victim.Sleep.Arguments));
        }
    }

    public void Dispose()
    {
        foreach (var child in children)
        {
            child.Kill();
            child.Dispose();
        }
    }
}
