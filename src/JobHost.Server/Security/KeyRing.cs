namespace JobHost.Server.Security;

/// <summary>
/// All keys: those of the configuration and those of the file. Once there was one, everybody has to show one for as long as
/// this process lives: that the last one was revoked does not open the door.
/// </summary>
internal sealed class KeyRing
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<ApiKey> configured;
    private readonly KeyFile file;
    private readonly TimeProvider time;
    private string? problem;
    private readonly Lock gate = new();
    private IReadOnlyDictionary<string, ApiKey> byHash;
    private DateTime? readAt;
    private long lookedAt;
    private volatile bool wasUsed;

    /// <exception cref="JobConfigurationException">A key is not valid.</exception>
    internal KeyRing(IReadOnlyList<ApiKey> configured, KeyFile file, TimeProvider time)
    {
        this.configured = configured;
        this.file = file;
        this.time = time;
        readAt = file.ChangedAt;
        lookedAt = time.GetTimestamp();
        byHash = Checked(configured, file.Read());
        wasUsed = byHash.Count > 0;
    }

    /// <summary>Whether everybody has to show a key.</summary>
    internal bool IsNeeded
    {
        get
        {
            Look();
            return wasUsed;
        }
    }

    /// <summary>Why the file's newest keys cannot be used, and those of before still are; or null.</summary>
    internal string? Problem => Volatile.Read(ref problem);

    /// <summary>The key of a secret, or null where there is none that is valid now.</summary>
    internal ApiKey? Find(string secret)
    {
        Look();
        // Compared are hashes of what was sent: how long that takes tells nothing of a secret.
        return byHash.TryGetValue(ApiKey.HashOf(secret), out var key) && !(key.ExpiresAt <= time.GetUtcNow())
            ? key
            : null;
    }

    /// <exception cref="JobConfigurationException">A key is not valid.</exception>
    internal static IReadOnlyDictionary<string, ApiKey> Checked(params IReadOnlyList<ApiKey>[] sources)
    {
        var keys = new Dictionary<string, ApiKey>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var key in sources.SelectMany(source => source))
        {
            var problem =
                key.Problem() ?? (names.Add(key.Name) && keys.TryAdd(key.Hash, key) ? null : "There are two of it");
            if (problem is not null)
            {
                throw new JobConfigurationException($"JobHost:Security:Keys: key '{key.Name}': {problem}.");
            }
        }
        return keys;
    }

    private void Look()
    {
        lock (gate)
        {
            if (time.GetElapsedTime(lookedAt) < LookInterval)
            {
                return;
            }
            lookedAt = time.GetTimestamp();
            var changedAt = file.ChangedAt;
            if (changedAt == readAt)
            {
                // As it was when it was read last, maybe again.
                problem = null;
                return;
            }
            try
            {
                byHash = Checked(configured, file.Read());
                readAt = changedAt;
                problem = null;
                wasUsed |= byHash.Count > 0;
            }
            catch (JobConfigurationException unreadable)
            {
                // What was valid stays so, and nothing else becomes so.
                problem = unreadable.Message;
            }
        }
    }
}
