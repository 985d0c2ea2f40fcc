namespace JobHost.Storage;

/// <summary>The numbered scripts of a store, embedded in the assembly.</summary>
internal static class MigrationScripts
{
    /// <summary>All of a store, in their order.</summary>
    internal static IReadOnlyList<string> Of(string store)
    {
        var assembly = typeof(MigrationScripts).Assembly;
        var scripts = new List<string>();
        foreach (
            var name in assembly
                .GetManifestResourceNames()
                .Where(name =>
                    name.Contains($".{store}.", StringComparison.Ordinal)
                    && name.EndsWith(".sql", StringComparison.Ordinal)
                )
                .Order(StringComparer.Ordinal)
        )
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            scripts.Add(reader.ReadToEnd());
        }
        return scripts;
    }

    /// <summary>Those that are to be run yet, with their numbers.</summary>
    /// <exception cref="JobConfigurationException">The database was written by a newer version.</exception>
    internal static IEnumerable<(int Number, string Script)> After(int newest, IReadOnlyList<string> scripts) =>
        newest > scripts.Count
            ? throw new JobConfigurationException(
                $"The database has schema {newest}, this version of JobHost knows {scripts.Count}. Run the newer version, or use another database."
            )
            : scripts.Select((script, index) => (index + 1, script)).Skip(newest);
}
