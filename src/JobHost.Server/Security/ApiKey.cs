using System.Security.Cryptography;
using System.Text;

namespace JobHost.Server.Security;

/// <summary>What a caller may do; each role may do what those before it may.</summary>
public enum Role
{
    /// <summary>May look.</summary>
    Viewer,

    /// <summary>May start runs and ask them to stop.</summary>
    Operator,

    /// <summary>May force, signal, freeze and release runs.</summary>
    Killer,

    /// <summary>May do everything: nodes, records, the audit.</summary>
    Admin,
}

/// <summary>A key as it is kept: by the hash of its secret.</summary>
public sealed class ApiKey
{
    /// <summary>What stands before every secret, so that one that strayed into a text can be found.</summary>
    public const string SecretPrefix = "jh_";

    private const string HashPrefix = "sha256:";
    private const int SecretBytes = 32;

    /// <summary>Who uses it, for the audit.</summary>
    public string Name { get; set; } = "";

    /// <summary>
    /// <c>sha256:</c> and 64 hexadecimal digits. A fast hash is enough: a secret is 256 random bits, which nobody guesses.
    /// </summary>
    public string Hash { get; set; } = "";

    public Role Role { get; set; }

    /// <summary>From when on it is refused; null: never.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }

    /// <summary>The only jobs that it may see and start; null or empty: all.</summary>
    public List<string>? Jobs { get; set; }

    /// <summary>A new secret, to be shown once and kept nowhere.</summary>
    public static string NewSecret() =>
        SecretPrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>The hash that a secret is kept by.</summary>
    public static string HashOf(string secret) =>
        HashPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>What is wrong with it, or null.</summary>
    internal string? Problem() =>
        Name.Length is < 1 or > 64
        || !Name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-')
            ? "Name must be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'"
        : !Hash.StartsWith(HashPrefix, StringComparison.Ordinal)
        || Hash.Length != HashPrefix.Length + 2 * SHA256.HashSizeInBytes
        || !Hash[HashPrefix.Length..].All(char.IsAsciiHexDigitLower)
            ? "Hash must be 'sha256:' and 64 lower-case hexadecimal digits, as 'jobhost keys create' prints it"
        : !Enum.IsDefined(Role) ? "Role must be Viewer, Operator, Killer or Admin"
        : null;
}
