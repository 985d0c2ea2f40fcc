using System.Runtime.CompilerServices;
using JobHost.Benchmarks.Measuring;
using JobHost.Server.Security;

namespace JobHost.Benchmarks.Keys;

/// <summary>
/// What can be learned of a secret by the time that it takes to refuse a wrong one. Asked is what decides itself, without HTTP
/// around it, which would hide a difference.
/// </summary>
internal sealed class KeyScenario : IScenario
{
    private const int Keys = 1000;
    private const int Looks = 2000;

    public string Name => "keys";

    public string Measures => $"{Looks} looks for a key among {Keys}, by how much of what is shown is right";

    public async IAsyncEnumerable<Figures> RunAsync(
        Settings settings,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var folder = new TemporaryFolder();
        var secrets = Enumerable.Range(0, Keys).Select(_ => ApiKey.NewSecret()).ToList();
        var keys = new KeyRing(
            [
                .. secrets.Select(
                    (secret, index) =>
                        new ApiKey
                        {
                            Name = $"key-{index}",
                            Hash = ApiKey.HashOf(secret),
                            Role = Role.Viewer,
                        }
                ),
            ],
            new KeyFile(folder.Path, mayBeShared: true),
            TimeProvider.System
        );
        var right = secrets[Keys / 2];
        var first = ApiKey.SecretPrefix.Length;
        var measured = await Rounds.MeasureAsync(
            [
                Contender("a hash of what is shown, and no look", right, HashOnly, isFound: false),
                Contender("right", right, keys.Find, isFound: true),
                Contender("wrong in its last character", Spoilt(right, ^1), keys.Find, isFound: false),
                Contender("wrong in its middle", Spoilt(right, right.Length / 2), keys.Find, isFound: false),
                Contender("wrong in its first character", Spoilt(right, first), keys.Find, isFound: false),
                Contender("another of the same length", ApiKey.NewSecret(), keys.Find, isFound: false),
            ],
            settings.Rounds,
            cancellationToken
        );
        yield return new(Name, [measured[0]], [.. measured.Skip(1)], Rival: null);
    }

    private static ApiKey? HashOnly(string shown)
    {
        ApiKey.HashOf(shown);
        return null;
    }

    private static string Spoilt(string secret, Index at)
    {
        var letters = secret.ToCharArray();
        letters[at] = letters[at] == '0' ? '1' : '0';
        return new(letters);
    }

    private static Contender Contender(string name, string shown, Func<string, ApiKey?> find, bool isFound) =>
        new(
            name,
            _ =>
                Task.FromResult<Func<Task<Func<Task>?>>>(() =>
                {
                    for (var look = 0; look < Looks; look++)
                    {
                        if (find(shown) is not null != isFound)
                        {
                            throw new BenchmarkException($"what is shown, '{name}', was taken for something else");
                        }
                    }
                    return Task.FromResult<Func<Task>?>(null);
                })
        );
}
