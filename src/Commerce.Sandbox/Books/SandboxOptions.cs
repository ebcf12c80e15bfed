namespace Commerce.Sandbox.Books;

/// <summary>Configuration section <c>Sandbox</c>.</summary>
internal sealed class SandboxOptions
{
    /// <summary>Where the books lie; made when absent. Default: <c>.local/sandbox</c> in the repository, or under the content root.</summary>
    public string? DataDirectory { get; set; }

    public SmtpOptions Smtp { get; set; } = new();

    internal sealed class SmtpOptions
    {
        /// <summary>The IP address to listen on; loopback, unless a container stands around it.</summary>
        public string Address { get; set; } = "127.0.0.1";

        /// <summary>0 takes any free port; the environment variable SMTP_PORT wins.</summary>
        public int Port { get; set; } = 2525;
    }
}
